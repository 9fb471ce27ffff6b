-- state.db, new with version 3: record batches of Kafka's protocol as they came. The records in them
-- are rows of record as well; a batch goes with its topic.
CREATE TABLE batch (
    id INTEGER PRIMARY KEY,
    tp INTEGER NOT NULL,
    first_offset INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    bytes BLOB NOT NULL
);
CREATE UNIQUE INDEX batch_tp_offset ON batch (tp, last_offset);

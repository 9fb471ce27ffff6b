-- state.db: what the server keeps (with lake.sql and batch.sql: version 3). Contract for readers: the
-- table record and the views.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE topic (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0 -- its records wait for the sweep
);
CREATE UNIQUE INDEX topic_name ON topic (name) WHERE deleted = 0;

CREATE TABLE topic_config (
    topic_id INTEGER NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (topic_id, name)
) WITHOUT ROWID;

CREATE TABLE partition (
    tp INTEGER PRIMARY KEY,
    topic_id INTEGER NOT NULL REFERENCES topic (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    time_ordered INTEGER NOT NULL DEFAULT 1, -- 0 once a record came with an earlier timestamp
    UNIQUE (topic_id, number)
);

-- The log, in order of arrival (specs: best at few and at many partitions).
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    tp INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, -- ms since 1970
    key BLOB,
    value BLOB,
    headers BLOB -- as in a Kafka record batch (version 3; JSON before); NULL: none
);
CREATE UNIQUE INDEX record_tp_offset ON record (tp, offset);

CREATE TABLE group_offset (
    group_name TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    metadata TEXT NOT NULL DEFAULT '',
    committed_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
) WITHOUT ROWID;

-- Offsets of a partition have no gaps, so its ends give the count without a scan. The CROSS JOINs fix
-- the order topic, partition, record: counting and seeking then go through record_tp_offset.
CREATE VIEW topics AS
SELECT t.name AS topic,
       (SELECT count(*) FROM partition p WHERE p.topic_id = t.id) AS partitions,
       (SELECT coalesce(sum((SELECT max(r.offset) FROM record r WHERE r.tp = p.tp)
                          - (SELECT min(r.offset) FROM record r WHERE r.tp = p.tp) + 1), 0)
        FROM partition p WHERE p.topic_id = t.id) AS records,
       strftime('%Y-%m-%dT%H:%M:%SZ', t.created_ms / 1000, 'unixepoch') AS created
FROM topic t
WHERE t.deleted = 0;

CREATE VIEW records AS
SELECT t.name AS topic, p.number AS partition, r.offset AS offset, r.timestamp AS timestamp,
       CAST(r.key AS TEXT) AS key, CAST(r.value AS TEXT) AS value
FROM topic t
CROSS JOIN partition p ON p.topic_id = t.id
CROSS JOIN record r ON r.tp = p.tp
WHERE t.deleted = 0;

CREATE VIEW group_offsets AS
SELECT group_name, topic, partition, offset, metadata,
       strftime('%Y-%m-%dT%H:%M:%SZ', committed_ms / 1000, 'unixepoch') AS committed
FROM group_offset;

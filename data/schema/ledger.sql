-- ledger.db: what the emulator meant to send and what became of it. Version 1. Contract for readers:
-- the view rows_posted. Intents are committed before their requests leave.
CREATE TABLE meta (
    name TEXT PRIMARY KEY, -- cluster_id: which cluster's offsets these are
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,            -- NULL: still going, or killed
    user_id TEXT NOT NULL,
    row_order TEXT NOT NULL,     -- python, sequential, random
    seed INTEGER NOT NULL,
    datetime_style TEXT NOT NULL, -- iso, space
    lanes_per_topic INTEGER NOT NULL, -- 1: the topic holds this run's rows in posting order
    rows_wanted INTEGER          -- NULL: forever
);

-- One row a post, in the order of intent. The three posts of a triple enter in one transaction, so
-- their ids follow each other.
CREATE TABLE post (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,     -- run.id; no foreign key: it would be looked up at every post
    triple INTEGER NOT NULL,     -- 0, 1, 2, ... within the run; three posts share it
    tbl INTEGER NOT NULL,        -- 0 pin, 1 geo, 2 user
    row_number INTEGER NOT NULL, -- which row of the table (LIMIT n, 1)
    topic TEXT NOT NULL,
    value_hash BLOB,             -- 16 bytes: hash_content of the value as posted
    state INTEGER NOT NULL,      -- 0 intent, 1 acked, 2 failed (surely not kept), 3 in doubt
    attempts INTEGER NOT NULL DEFAULT 0, -- 0 in state 2: stopped before it was sent
    maybe_kept INTEGER NOT NULL DEFAULT 0, -- attempts whose outcome is unknown
    partition INTEGER,
    offset INTEGER,
    reason TEXT,                 -- why it failed or is in doubt
    acked_ms INTEGER
);
CREATE INDEX post_place ON post (topic, partition, offset) WHERE offset IS NOT NULL;

CREATE VIEW rows_posted AS
SELECT p.run_id AS run, p.triple AS triple,
       CASE p.tbl WHEN 0 THEN 'pin' WHEN 1 THEN 'geo' ELSE 'user' END AS kind,
       p.row_number AS row, p.topic AS topic, p.partition AS partition, p.offset AS offset,
       CASE p.state WHEN 0 THEN 'intent' WHEN 1 THEN 'acked' WHEN 2 THEN 'failed'
                    ELSE 'in doubt' END AS state,
       p.attempts AS attempts, p.reason AS reason,
       strftime('%Y-%m-%dT%H:%M:%fZ', p.acked_ms / 1000.0, 'unixepoch') AS acked
FROM post p
ORDER BY p.id;

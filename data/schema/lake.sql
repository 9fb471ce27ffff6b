-- state.db since version 2: what S3 and Kafka Connect keep. Run for a new file behind state.sql, and once
-- for a file of version 1. Contract for readers: the views objects and connectors.
--
-- No foreign keys: each would be looked up at every object that the sink writes.
CREATE TABLE bucket (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);

-- Bytes of anything larger than fits into its own row, never changed once they have a reference. A plain
-- content has chunks of one size (the last may be shorter; chunk.id is content.id << 24 | number). A joined
-- one (a completed upload, a part copied from a range) has pieces instead: ranges of plain ones, in order.
CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,          -- 0 while it is staged
    refs INTEGER NOT NULL DEFAULT 0 -- object, upload_part and piece rows; 0: staged, or waits for the sweep
);
CREATE INDEX content_unused ON content (id) WHERE refs = 0;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);
CREATE TABLE piece (
    content_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    size INTEGER NOT NULL,
    plain_id INTEGER NOT NULL,    -- content.id
    plain_start INTEGER NOT NULL, -- where in it
    PRIMARY KEY (content_id, start)
) WITHOUT ROWID;

-- An object is never changed: writing its key again makes a new row. One that is gone but still being
-- downloaded is dead until the sweep takes it.
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    bucket_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL, -- without quotes
    modified_ms INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    headers TEXT,       -- lines "name: value" that go back with it: content-type, x-amz-meta-...
    checksum TEXT,      -- "crc32 NhCmhg== FULL_OBJECT"; NULL: none was asked for
    upload_id TEXT,     -- of the multipart upload that made it
    content_id INTEGER, -- or NULL: the bytes are in body
    body BLOB
);
CREATE UNIQUE INDEX object_key ON object (bucket_id, key) WHERE dead = 0;
CREATE INDEX object_dead ON object (id) WHERE dead = 1;

-- An upload that has been completed or aborted is dead until the sweep has taken its parts.
CREATE TABLE upload (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    bucket_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    headers TEXT,
    checksum_algorithm TEXT -- "crc32", with its type: "crc32 FULL_OBJECT"
);
CREATE INDEX upload_key ON upload (bucket_id, key, id) WHERE dead = 0;
CREATE INDEX upload_dead ON upload (number) WHERE dead = 1;
CREATE TABLE upload_part (
    upload INTEGER NOT NULL, -- upload.number
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    modified_ms INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;

CREATE TABLE connector (
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL, -- a JSON object of strings
    paused INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL,
    msk TEXT -- what MSK Connect's API was told beside it, as JSON; NULL: made by the REST API
) WITHOUT ROWID;
-- What each task last was, so that SQL shows it; a new start begins anew.
CREATE TABLE connector_task (
    connector TEXT NOT NULL,
    task INTEGER NOT NULL,
    state TEXT NOT NULL,
    trace TEXT,
    PRIMARY KEY (connector, task)
) WITHOUT ROWID;
CREATE TABLE connector_topic (
    connector TEXT NOT NULL,
    topic TEXT NOT NULL,
    PRIMARY KEY (connector, topic)
) WITHOUT ROWID;
-- What MSK Connect's API keeps beside connectors: kind is custom-plugin, worker-configuration or connector
-- (one that could not be made: there is nothing of it to run).
CREATE TABLE msk_resource (
    arn TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    document TEXT NOT NULL, -- JSON
    UNIQUE (kind, name)
) WITHOUT ROWID;

CREATE VIEW objects AS
SELECT b.name AS bucket, o.key AS key, o.size AS size, o.etag AS etag,
       strftime('%Y-%m-%dT%H:%M:%SZ', o.modified_ms / 1000, 'unixepoch') AS modified,
       CAST(o.body AS TEXT) AS body
FROM bucket b
CROSS JOIN object o ON o.bucket_id = b.id
WHERE o.dead = 0;

CREATE VIEW connectors AS
SELECT c.name AS name,
       CASE WHEN c.paused THEN 'PAUSED' ELSE 'RUNNING' END AS state,
       (SELECT count(*) FROM connector_task t WHERE t.connector = c.name) AS tasks,
       (SELECT count(*) FROM connector_task t WHERE t.connector = c.name AND t.state = 'FAILED') AS failed_tasks,
       (SELECT t.trace FROM connector_task t WHERE t.connector = c.name AND t.state = 'FAILED'
        ORDER BY t.task LIMIT 1) AS trace,
       (SELECT group_concat(t.topic) FROM connector_topic t WHERE t.connector = c.name) AS topics,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.created_ms / 1000, 'unixepoch') AS created,
       c.config AS config
FROM connector c;

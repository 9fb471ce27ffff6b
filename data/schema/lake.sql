-- state.db since version 2: what S3 and Kafka Connect keep. Run for a new file behind state.sql, and once
-- for a file of version 1. Contract for readers: the views objects and connectors.
CREATE TABLE bucket (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    region TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);

-- Bytes of anything larger than fits into its own row, in chunks of one size (the last may be shorter):
-- chunk.id is content.id << 24 | number. A content is never changed once it has a reference.
CREATE TABLE content (
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    refs INTEGER NOT NULL DEFAULT 0 -- object_part and upload_part rows; 0: staged, or waits for the sweep
);
CREATE INDEX content_unused ON content (id) WHERE refs = 0;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);

-- An object is never changed: writing its key again makes a new row. One whose parts are still to be let
-- go of (by the sweep, once no download reads it) is dead.
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    bucket_id INTEGER NOT NULL REFERENCES bucket (id),
    key TEXT NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL, -- without quotes
    modified_ms INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    headers TEXT,   -- "name: value\n" lines that go back with it: content-type, x-amz-meta-...
    checksum TEXT,  -- "crc32 NhCmhg== FULL_OBJECT"; NULL: none was asked for
    upload_id TEXT, -- of the multipart upload that made it
    body BLOB       -- the bytes, or NULL: they are in object_part
);
CREATE UNIQUE INDEX object_key ON object (bucket_id, key) WHERE dead = 0;
CREATE INDEX object_dead ON object (id) WHERE dead = 1;
CREATE TABLE object_part (
    object_id INTEGER NOT NULL,
    start INTEGER NOT NULL,
    size INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    PRIMARY KEY (object_id, start)
) WITHOUT ROWID;

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL REFERENCES bucket (id),
    key TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    headers TEXT,
    checksum_algorithm TEXT -- "crc32", with its type: "crc32 FULL_OBJECT"
) WITHOUT ROWID;
CREATE UNIQUE INDEX upload_key ON upload (bucket_id, key, id);
CREATE TABLE upload_part (
    upload_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT,
    modified_ms INTEGER NOT NULL,
    content_id INTEGER NOT NULL,
    PRIMARY KEY (upload_id, number)
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
CREATE TABLE custom_plugin (
    arn TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    document TEXT NOT NULL -- JSON
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

-- journal.db: a ring of the latest requests. Version 2; version 1 (0.2.0 and 0.3.0) had no hint.
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    time_ms INTEGER NOT NULL,
    service TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    error_code TEXT,
    latency_us INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    hint TEXT
);

-- journal.db: a ring of the latest requests. Version 1. Contract for readers: the view requests.
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
    response_bytes INTEGER NOT NULL
);

CREATE VIEW requests AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time, service, method, path,
       status, error_code, latency_us, request_bytes, response_bytes
FROM request
ORDER BY id;

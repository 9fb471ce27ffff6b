-- What journal.db shows to readers, for tables of version 2. Contract: the view requests.
DROP VIEW IF EXISTS requests;

CREATE VIEW requests AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') AS time, service, method, path,
       status, error_code, latency_us, request_bytes, response_bytes, hint
FROM request
ORDER BY id;

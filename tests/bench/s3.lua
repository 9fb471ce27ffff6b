-- wrk script: PUT objects of BYTES under ever new keys, or GET those that a PUT run has left (KEYS of
-- them). Prints "RESULT requests/s bad-answers".
local bytes = tonumber(os.getenv("BYTES"))
local keys = tonumber(os.getenv("KEYS") or "0")
local prefix = os.getenv("PREFIX")
local body = string.rep("x", bytes)
local n = 0
-- moto keeps what somebody unknown wrote from being read or written again, unless it is public; S3 refuses ACLs.
local headers = {["Content-Type"] = "application/octet-stream", ["x-amz-acl"] = os.getenv("ACL")}

function request()
    if keys > 0 then
        n = n % keys + 1
        -- Not the first: wrk makes that request once without sending it.
        return wrk.format("GET", prefix .. n + 1)
    end
    n = n + 1
    return wrk.format("PUT", prefix .. n, headers, body)
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    io.stderr:write(string.format("RESULT %.1f %d\n", summary.requests / (summary.duration / 1e6), failed))
end

-- wrk script: PUT objects of BYTES under ever new keys, or GET those that a PUT run has left (KEYS of
-- them). Prints "RESULT requests/s bad-answers".
local bytes = tonumber(os.getenv("BYTES"))
local keys = tonumber(os.getenv("KEYS") or "0")
local prefix = os.getenv("PREFIX")
local body = string.rep("x", bytes)
local n = 0

function request()
    if keys > 0 then
        n = n % keys + 1
        -- Not the first: wrk makes that request once without sending it.
        return wrk.format("GET", prefix .. n + 1)
    end
    n = n + 1
    -- moto keeps what everybody may write from being read or written again, unless it is public.
    return wrk.format("PUT", prefix .. n, {["Content-Type"] = "application/octet-stream", ["x-amz-acl"] = "public-read-write"}, body)
end

function done(summary, latency)
    local errors = summary.errors
    local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    io.stderr:write(string.format("RESULT %.1f %d\n", summary.requests / (summary.duration / 1e6), failed))
end

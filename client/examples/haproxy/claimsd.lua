-- claimsd.lua: the HAProxy action `lua.claimsd GATE`. It answers 400, 401, 403 and 503 itself; for a valid token it sets the
-- identity headers and the variable txn.claims_allowed. HAProxy goes on if a script fails, so haproxy.cfg checks the variable.

local SOCKET = "unix@/run/claimsd/http.sock"
local IDENTITY = {"x-claims-id", "x-claims-email", "x-claims-roles", "x-claims-truncated"}
local PASSED_ON = {"authorization", "traceparent"}
local TIMEOUT_MS = 5000

local function answer(txn, status, name, value)
  local reply = txn:reply{status = status}
  reply:add_header("cache-control", "no-store")
  if name then reply:add_header(name, value) end
  txn:done(reply)
end

core.register_action("claimsd", {"http-req"}, function(txn, gate)
  local sent = txn.http:req_get_headers()
  local headers = {host = {"claimsd"}, ["x-forwarded-for"] = {txn.f:src()}}
  for _, name in ipairs(PASSED_ON) do
    local values = sent[name]
    if values then
      -- Sent twice, or cut off at a NUL: the application could read another token than claimsd.
      if values[1] or values[0]:find("[\0-\8\10-\31\127]") then return answer(txn, 400) end
      headers[name] = {values[0]}
    end
  end
  local response = core.httpclient():get{
    url = "http://claimsd/v1/auth/" .. gate, dst = SOCKET, headers = headers, timeout = TIMEOUT_MS}
  local function field(name) return response.headers and response.headers[name] and response.headers[name][0] end
  if response.status == 200 then
    for _, name in ipairs(IDENTITY) do txn.http:req_set_header(name, field(name) or "") end
    txn:set_var("txn.claims_allowed", true)
  elseif response.status == 401 then
    answer(txn, 401, "www-authenticate", field("www-authenticate"))
  elseif response.status == 400 or response.status == 403 then
    answer(txn, response.status)
  elseif response.status == 404 then
    answer(txn, 500)  -- the configuration names an unknown gate
  else
    answer(txn, 503, "retry-after", field("retry-after") or "1")
  end
end, 1)

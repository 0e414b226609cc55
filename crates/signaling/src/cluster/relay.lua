-- Hands a message to the node that its recipient is registered with. ARGV: prefix, recipient, payload.
-- Returns how many have taken it: 0 means that nobody can.
local node = redis.call('HGET', ARGV[1] .. 'agent:' .. ARGV[2], 'node')
if not node or redis.call('EXISTS', ARGV[1] .. 'node:' .. node) == 0 then
  return 0
end
return redis.call('PUBLISH', ARGV[1] .. 'to:' .. node, ARGV[3])

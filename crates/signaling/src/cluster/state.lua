-- Everything that changes who is registered where, and who is in which room. One script, so that its parts share their
-- helpers; each call is atomic. ARGV: prefix, own node, command, arguments. Keys and events: see wire.rs and docs/cluster.md.
local prefix, me, command = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call

local function agent_key(agent) return prefix .. 'agent:' .. agent end
local function rooms_key(agent) return prefix .. 'rooms:' .. agent end
local function owned_key(node) return prefix .. 'agents:' .. node end
local function lease_key(node) return prefix .. 'node:' .. node end
-- Member -> its node.
local function room_key(room) return prefix .. 'room:' .. room end
-- Node -> number of its members; the field '' has the bytes of the list of members.
local function place_key(room) return prefix .. 'place:' .. room end

local function alive(node) return call('EXISTS', lease_key(node)) == 1 end

local function tell(node, ...)
  return call('PUBLISH', prefix .. 'to:' .. node, table.concat({...}, '\n'))
end

-- Every node with somebody in the room hears of each change, in the order of the changes.
local function tell_room(room, kind, agent)
  for _, node in ipairs(call('HKEYS', place_key(room))) do
    if node ~= '' then tell(node, kind, room, agent) end
  end
end

local function listing(room)
  return table.concat(call('HKEYS', room_key(room)), '\n')
end

local function fewer(room, node)
  if call('HINCRBY', place_key(room), node, -1) <= 0 then call('HDEL', place_key(room), node) end
end

-- In an agent's share of a list: its text, quotes and a comma.
local function cost(agent) return #agent + 3 end

local function depart(room, agent, kind)
  local node = call('HGET', room_key(room), agent)
  call('SREM', rooms_key(agent), room)
  if not node then return end
  tell_room(room, kind, agent)
  call('HDEL', room_key(room), agent)
  fewer(room, node)
  if call('HLEN', room_key(room)) == 0 then
    call('DEL', place_key(room))
  else
    call('HINCRBY', place_key(room), '', -cost(agent))
  end
end

local function depart_all(agent, kind)
  for _, room in ipairs(call('SMEMBERS', rooms_key(agent))) do depart(room, agent, kind) end
end

-- The agent stays in the room; its connection is with this node from now on.
local function move(room, agent)
  local node = call('HGET', room_key(room), agent)
  if node and node ~= me then
    call('HSET', room_key(room), agent, me)
    call('HINCRBY', place_key(room), me, 1)
    fewer(room, node)
  end
end

-- False: the room is full.
local function enter(room, agent, most, bytes)
  if call('HEXISTS', room_key(room), agent) == 1 then
    move(room, agent)
    return true
  end
  local used = tonumber(call('HGET', place_key(room), '') or '0')
  if call('HLEN', room_key(room)) >= most or used + cost(agent) > bytes then return false end
  tell_room(room, 'j', agent)
  call('HSET', room_key(room), agent, me)
  call('HINCRBY', place_key(room), me, 1)
  call('HINCRBY', place_key(room), '', cost(agent))
  call('SADD', rooms_key(agent), room)
  return true
end

local function record(agent)
  local found = call('HMGET', agent_key(agent), 'node', 'reg', 'token', 'owner', 'since')
  if not found[1] then return nil end
  return { node = found[1], reg = found[2], token = found[3], owner = found[4], since = tonumber(found[5]) }
end

local function write(agent, reg, token, owner, since)
  call('HSET', agent_key(agent), 'node', me, 'reg', reg, 'token', token, 'owner', owner, 'since', since)
  call('SADD', owned_key(me), agent)
  -- A command of a connection that was given up may run late: what it leaves must be found by those who bury.
  call('SADD', prefix .. 'nodes', me)
end

-- Takes the name from its present holder, who is told.
local function displace(agent, held)
  call('SREM', owned_key(held.node), agent)
  tell(held.node, 'd', agent, held.reg)
end

local function now()
  local time = call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Names that are their owner's also while he is away. Agent -> 'since retention owner', and agent -> the end, 'inf' for one
-- that is registered.
local owners_key, ends_key = prefix .. 'owners', prefix .. 'ends'
-- There for a lease after Redis was found empty: what servers remember may not be all here yet.
local settling_key = prefix .. 'settling'

local function known(agent)
  local text, ends = call('HGET', owners_key, agent), call('ZSCORE', ends_key, agent)
  if not text or not ends then return nil end
  ends = ends == 'inf' and math.huge or tonumber(ends)
  if ends <= now() then return nil end
  local since, retention, owner = string.match(text, '^(%d+) (%d+) (.*)$')
  return { since = tonumber(since), retention = tonumber(retention), owner = owner, ends = ends }
end

local function remember(agent, owner, since, retention, ends)
  local text = string.format('%.0f %.0f ', since, retention) .. owner
  call('HSET', owners_key, agent, text)
  call('ZADD', ends_key, ends == math.huge and 'inf' or string.format('%.0f', ends), agent)
end

-- since, retention, what is left of it, owner
local function described(name)
  local left = math.min(name.ends - now(), name.retention)
  return string.format('%.0f', name.since), string.format('%.0f', name.retention), string.format('%.0f', left), name.owner
end

-- Most names that one call forgets.
local EXPIRE = 100

local function forget_expired()
  for _, agent in ipairs(call('ZRANGEBYSCORE', ends_key, '-inf', now(), 'LIMIT', 0, EXPIRE)) do
    call('HDEL', owners_key, agent)
    call('ZREM', ends_key, agent)
  end
end

-- Why the name is not for this owner, whoever is registered. `first` is nil where names belong to nobody who is away.
local function denied(agent, owner, first)
  if not first then return nil end
  local name = known(agent)
  if name and name.owner ~= owner then return {'owned', described(name)} end
  if name or first.known then return nil end
  if call('EXISTS', settling_key) == 1 then return {'settling'} end
  forget_expired()
  if call('ZCARD', ends_key) >= first.capacity then return {'crowded'} end
  return nil
end

local function keep(agent, owner, first)
  if not first then return end
  local name = known(agent)
  remember(agent, owner, math.min(first.since, name and name.since or first.since), first.retention, math.huge)
end

-- Nobody is registered under the name any more: its retention begins.
local function rest(agent)
  local text = call('HGET', owners_key, agent)
  local retention = text and string.match(text, '^%d+ (%d+) ')
  if retention then call('ZADD', ends_key, string.format('%.0f', now() + tonumber(retention)), agent) end
end

local function forget(agent, kind)
  depart_all(agent, kind)
  call('DEL', agent_key(agent), rooms_key(agent))
  rest(agent)
end

-- Every server has to know better than it may have been told.
local function correct(agent)
  for _, node in ipairs(call('SMEMBERS', prefix .. 'nodes')) do tell(node, 'k', agent, described(known(agent))) end
end

local function first_use(known_here, since, retention, capacity)
  if retention == '' then return nil end
  return {
    known = known_here == '1', since = tonumber(since), retention = tonumber(retention), capacity = tonumber(capacity)
  }
end

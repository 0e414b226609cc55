-- The commands over state.lua, which is the beginning of the same script.
local commands = {}

-- request, agent, reg, token if new, owner, first use (4), token shown, node and reg found dead
function commands.claim(request, agent, reg, token, owner, known_here, first, retention, capacity, shown, dead_node, dead_reg)
  local policy = first_use(known_here, first, retention, capacity)
  local refusal = denied(agent, owner, policy)
  if refusal then return refusal end
  local held = record(agent)
  local since, resumed = now(), '0'
  if held then
    local by_token = shown ~= '' and shown == held.token
    local by_owner = owner ~= '' and owner == held.owner
    if by_token then
      token, resumed = held.token, '1'
    elseif not by_owner and alive(held.node) and not (held.node == dead_node and held.reg == dead_reg) then
      return {'held', held.node, held.reg}
    end
    -- First the end of the registration, then of its memberships: see the event `x`.
    displace(agent, held)
    if not by_token then depart_all(agent, 'x') end
    since = math.max(since, held.since + 1)
  end
  write(agent, reg, token, owner, since)
  keep(agent, owner, policy)
  local rooms = call('SMEMBERS', rooms_key(agent))
  tell(me, 'g', request, resumed, string.format('%.0f', since), unpack(rooms))
  for _, room in ipairs(rooms) do
    move(room, agent)
    tell(me, 's', room, listing(room))
  end
  return {'ok'}
end

-- agent, reg, token, owner, first use (4), since, own node before, node and reg found dead, 'keep' or 'exact', most members
-- and bytes of a room, rooms. Publishes a registration that this node has made by itself.
function commands.publish(agent, reg, token, owner, known_here, first, retention, capacity, since, before, dead_node, dead_reg,
    mode, most, bytes, ...)
  local policy = first_use(known_here, first, retention, capacity)
  local name, usurped = policy and known(agent), false
  if name and name.owner ~= owner then
    -- Two owners, because Redis was lost or has forgotten: the name is the earlier one's.
    if name.since <= policy.since then return {'owned', described(name)} end
    usurped = true
    remember(agent, owner, policy.since, policy.retention, math.huge)
    correct(agent)
  end
  local held = record(agent)
  if held and held.node ~= me and held.node ~= before and not usurped then
    if token == held.token or (owner ~= '' and owner == held.owner) then
      -- The same agent twice: the later registration counts.
      if tonumber(since) < held.since then return {'displaced'} end
    elseif alive(held.node) and not (held.node == dead_node and held.reg == dead_reg) then
      return {'held', held.node, held.reg}
    end
  end
  if held and held.node ~= me then displace(agent, held) end
  write(agent, reg, token, owner, since)
  keep(agent, owner, policy)
  local wanted, refused = {}, {'ok'}
  for _, room in ipairs({...}) do wanted[room] = true end
  for _, room in ipairs(call('SMEMBERS', rooms_key(agent))) do
    if wanted[room] or mode == 'keep' then
      move(room, agent)
    else
      depart(room, agent, 'x')
    end
  end
  for _, room in ipairs({...}) do
    if not enter(room, agent, tonumber(most), tonumber(bytes)) then table.insert(refused, room) end
  end
  return refused
end

-- agent, reg, 'l' (left) or 'x' (lost)
function commands.release(agent, reg, kind)
  local held = record(agent)
  if held and held.node == me and held.reg == reg then
    forget(agent, kind)
    call('SREM', owned_key(me), agent)
  end
  return {'ok'}
end

-- Names that this node remembers: agent, owner, since, retention and what is left of it, again and again. Returns those that
-- are somebody else's: agent, since, retention, left, owner.
function commands.remember(...)
  local wrong, given = {'ok'}, {...}
  for at = 1, #given, 5 do
    local agent, owner = given[at], given[at + 1]
    local since, retention, left = tonumber(given[at + 2]), tonumber(given[at + 3]), tonumber(given[at + 4])
    local name = known(agent)
    if left <= 0 then
      -- Its time has come meanwhile.
    elseif not name then
      remember(agent, owner, since, retention, now() + left)
    elseif name.owner == owner then
      remember(agent, owner, math.min(since, name.since), retention, math.max(now() + left, name.ends))
    elseif name.since <= since then
      for _, field in ipairs({agent, described(name)}) do table.insert(wrong, field) end
    else
      local held = record(agent)
      remember(agent, owner, since, retention, now() + left)
      correct(agent)
      if held then
        displace(agent, held)
        forget(agent, 'x')
      end
    end
  end
  return wrong
end

local function owns(agent, reg)
  local held = record(agent)
  return held and held.node == me and held.reg == reg
end

-- request, agent, reg, room, most rooms, most members, most bytes
function commands.join(request, agent, reg, room, rooms, most, bytes)
  if not owns(agent, reg) then return {'gone'} end
  local mine = call('SCARD', rooms_key(agent))
  if call('SISMEMBER', rooms_key(agent), room) == 0 and mine >= tonumber(rooms) then return {'many', mine} end
  if not enter(room, agent, tonumber(most), tonumber(bytes)) then
    return {'full', call('HLEN', room_key(room))}
  end
  tell(me, 's', room, listing(room))
  tell(me, 'J', request)
  return {'ok'}
end

-- request, agent, reg, room
function commands.leave(request, agent, reg, room)
  if not owns(agent, reg) then return {'gone'} end
  depart(room, agent, 'l')
  tell(me, 'L', request)
  return {'ok'}
end

-- room
function commands.list(room)
  tell(me, 's', room, listing(room))
  return {'ok'}
end

-- penalty, those who were disconnected for sending too much. All others hear of it.
function commands.warn(penalty, ...)
  for _, node in ipairs(call('SMEMBERS', prefix .. 'nodes')) do
    if node ~= me then tell(node, 'f', penalty, ...) end
  end
  return {'ok'}
end

-- request, node, agent, reg. Returns how many have heard it.
function commands.probe(request, node, agent, reg)
  return {'ok', tell(node, 'p', request, me, agent, reg)}
end

-- lease, version, own node before: that one's agents are this one's, and are about to be published again; epoch that the node
-- knows. Returns the epoch.
function commands.hello(lease, version, before, epoch)
  local spoken = call('GET', prefix .. 'version')
  if spoken and spoken ~= version then
    for _, node in ipairs(call('SMEMBERS', prefix .. 'nodes')) do
      if alive(node) then return {'version', spoken} end
    end
  end
  call('SET', prefix .. 'version', version)
  -- Gone when Redis starts anew without its data.
  call('SETNX', prefix .. 'epoch', me)
  local present = call('GET', prefix .. 'epoch')
  if epoch ~= '' and epoch ~= present then call('SET', settling_key, '1', 'PX', lease) end
  call('SET', lease_key(me), '1', 'PX', lease)
  call('SADD', prefix .. 'nodes', me)
  if before ~= '' then call('PEXPIRE', lease_key(before), lease) end
  return {'ok', present}
end

-- All that was of this node before has been published again.
function commands.retire(before)
  call('DEL', lease_key(before))
  return {'ok'}
end

-- Most agents of dead nodes that one call forgets: a few milliseconds, in which everybody else waits.
local REAP = 100

local function reap(node)
  for _, agent in ipairs(call('SPOP', owned_key(node), REAP)) do
    if call('HGET', agent_key(agent), 'node') == node then forget(agent, 'x') end
  end
  local left = call('SCARD', owned_key(node))
  if left == 0 then call('SREM', prefix .. 'nodes', node) end
  return left
end

-- lease, own node before, whose agents may not all be published again. Renews it and buries the dead; returns the nodes and agents alive, and how many of the dead are left.
function commands.beat(lease, before)
  if not call('SET', lease_key(me), '1', 'PX', lease, 'XX') then return {'lapsed'} end
  if before ~= '' then call('PEXPIRE', lease_key(before), lease) end
  forget_expired()
  local nodes, agents, left = 0, 0, 0
  for _, node in ipairs(call('SMEMBERS', prefix .. 'nodes')) do
    if alive(node) then
      nodes = nodes + 1
      agents = agents + call('SCARD', owned_key(node))
    elseif left == 0 then
      left = reap(node)
    end
  end
  return {'ok', nodes, agents, left}
end

-- lease. This node ends. Its agents have so long to come back elsewhere, without having been away; then they are buried.
function commands.bye(lease)
  if call('SCARD', owned_key(me)) == 0 then
    call('DEL', lease_key(me))
    call('SREM', prefix .. 'nodes', me)
  else
    call('PEXPIRE', lease_key(me), lease)
  end
  return {'ok'}
end

return commands[command](unpack(ARGV, 4))

package copies

// prelude begins every script. Its keys are where the engine's run ID is kept, and the
// one of the script; its arguments are the run ID of the engine, and whether this process
// has used an engine before. lost() returns how long ago data may have been lost, in
// milliseconds. live(set) returns the members of a set, without those whose time is over.
const prelude = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function lost()
  local run, since = unpack(redis.call('HMGET', KEYS[1], 'run', 'since'))
  if run ~= ARGV[1] then
    since = (run or ARGV[2] == '1') and now or 0
    redis.call('HSET', KEYS[1], 'run', ARGV[1], 'since', since)
  end
  redis.call('PEXPIRE', KEYS[1], 7 * 24 * 3600 * 1000)
  return now - since
end

local function live(set)
  local members, all = {}, redis.call('HGETALL', set)
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) > now then
      table.insert(members, all[i])
    else
      redis.call('HDEL', set, all[i])
    end
  end
  return members
end
`

// The value of a member is when its time is over, and who added it.
const addScript = prelude + `
live(KEYS[2])
local value = redis.call('HGET', KEYS[2], ARGV[3])
if value and string.match(value, ' (.*)$') ~= ARGV[5] then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[3], string.format('%d %s', now + ARGV[4], ARGV[5]))
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
return 1
`

const removeScript = prelude + `
return redis.call('HDEL', KEYS[2], ARGV[3])
`

const membersScript = prelude + `
local sets = {}
if lost() < tonumber(ARGV[3]) then
  return sets
end
for i = 4, #ARGV do
  table.insert(sets, live(ARGV[i]))
end
return sets
`

// lockScript grants a lock to the one that has waited longest among those that asked
// within the last second. Tokens sort by the time of the first request.
const lockScript = prelude + `
local token, lease, waiters = ARGV[3], tonumber(ARGV[4]), KEYS[2] .. ':waiters'
redis.call('ZADD', waiters, now + 1000, token) -- the first write, which an engine with a full memory refuses
redis.call('ZREMRANGEBYSCORE', waiters, '-inf', now)
redis.call('PEXPIRE', waiters, 1000)
local age, holder = lost(), redis.call('GET', KEYS[2])
if holder ~= token then
  if holder or age < lease then
    return 0
  end
  for _, other in ipairs(redis.call('ZRANGE', waiters, 0, -1)) do
    if other < token then
      return 0
    end
  end
end
redis.call('SET', KEYS[2], token, 'PX', lease)
redis.call('ZREM', waiters, token)
return 1
`

const renewScript = prelude + `
if redis.call('GET', KEYS[2]) ~= ARGV[3] then
  return 0
end
return redis.call('PEXPIRE', KEYS[2], ARGV[4])
`

const releaseScript = prelude + `
redis.call('ZREM', KEYS[2] .. ':waiters', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[3] then
  return redis.call('DEL', KEYS[2])
end
return 0
`

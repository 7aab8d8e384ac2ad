import { hash } from "node:crypto";

/**
 * Decides and counts for many requests at once, each of them whole: where one of a request's limits is over, none of them is
 * counted. Every key it touches is declared, so it runs on Redis, Valkey and what else speaks their protocol. Each key is
 * read once and written once, however many requests are about it. Time is the store's own, in whole microseconds, which a
 * double holds exactly; replicas whose clocks differ count the same.
 *
 * ARGV has the number of limits, and for each of them
 * - `r interval tolerance`: a rate (GCRA, ITU-T I.371), in microseconds; `R` where it has leases,
 * - `q limit start end next`: a quota of the window from `start` to `end`, or of the one from there to `next`, in Unix seconds;
 *   `Q` where it has leases.
 * Then, in the order of KEYS, for each counter that is asked: the number of its limit, what the request takes, and where it has
 * leases what the lease would like to have, of which it gets at most half of what is left. Before counters that are decided
 * together stands `g` and how many they are. What was taken and is given back: `b`, the number of the limit, how much, and
 * of a rate the TAT that taking it left behind, of a quota the end of the window. What time has given back by itself is not given
 * back twice: a request that is held open for long earns its client nothing.
 *
 * One counter of a rate alone, as most requests have it, is decided before anything else is made.
 *
 * The answer is flat: the store's time in microseconds, then two numbers for each counter that is asked: what is taken, and
 * - of a rate that is taken: how long it takes from now until the whole burst is back, in microseconds,
 * - of a quota that is taken: how much of the window is used, this included,
 * - where 0 is taken: the microseconds after which the same request would be let in. -1: not counted, for another is over. -2: neither
 *   of the windows is the present one.
 * A value of a rate is its TAT (theoretical arrival time) in microseconds; of a quota `end used`.
 */
export const SCRIPT = `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tonumber, floor, ceil, max, min = tonumber, math.floor, math.ceil, math.max, math.min
local function gcra(tat, cost, interval, tolerance)
  if tat < now then tat = now elseif tat > now + tolerance then tat = now + tolerance end
  local wait = tat + cost * interval - tolerance - now
  if wait > 0 then return nil, wait end
  return tat + cost * interval, (now + tolerance - tat) / interval
end
if #ARGV == 6 and ARGV[2] == 'r' then
  local found, cost = redis.call('MGET', KEYS[1])[1], tonumber(ARGV[6])
  local tat, rest = gcra(tonumber(found or 0) or 0, cost, tonumber(ARGV[3]), tonumber(ARGV[4]))
  if not tat then return { now, 0, rest } end
  redis.call('PSETEX', KEYS[1], ceil((tat - now) / 1000), string.format('%.0f', tat))
  return { now, cost, tat - now }
end
local out = { now }
local values, ends, used, dirty = {}, {}, {}, {}
if #KEYS > 0 then
  local found = redis.call('MGET', unpack(KEYS))
  for i = 1, #KEYS do values[KEYS[i]] = found[i] end
end
local limits, at = {}, 2
for i = 1, tonumber(ARGV[1]) do
  local kind = ARGV[at]
  local is_rate, has_leases = kind == 'r' or kind == 'R', kind == 'R' or kind == 'Q'
  if is_rate then
    limits[i] = { true, has_leases, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]) }
    at = at + 3
  else
    local first, last, next = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    if now >= last * 1000000 then first, last = last, next end
    local is_present = now >= first * 1000000 and now < last * 1000000
    limits[i] = { false, has_leases, tonumber(ARGV[at + 1]), last, is_present }
    at = at + 5
  end
end
local function tat_of(key)
  local tat = tonumber(values[key] or 0) or 0
  return tat < now and now or tat
end
local function units_of(limit, cost, left)
  if not limit[2] then return cost end
  return max(cost, min(tonumber(ARGV[at - 1]), floor(left / 2)))
end
local function rate(key, limit, cost)
  local interval = limit[3]
  local tat, left = gcra(tat_of(key), cost, interval, limit[4])
  if not tat then return 0, left end
  local units = units_of(limit, cost, left)
  tat = tat + (units - cost) * interval
  return units, tat - now, tat
end
local function read_quota(key)
  local value = values[key]
  if ends[key] or not value then return end
  local of, count = string.match(value, '^(%d+) (%d+)$')
  if of then ends[key], used[key] = tonumber(of), tonumber(count) end
end
local function quota(key, limit, cost)
  if not limit[5] then return 0, -2 end
  local last = limit[4]
  read_quota(key)
  local count = ends[key] == last and used[key] or 0
  if count + cost > limit[3] then return 0, last * 1000000 - now end
  local units = units_of(limit, cost, limit[3] - count)
  return units, count + units, count + units, last
end
local function keep(key, value, last)
  if last then ends[key], used[key] = last, value else values[key] = value end
  dirty[key] = true
end
local function ask(key)
  local limit, cost = limits[tonumber(ARGV[at])], tonumber(ARGV[at + 1])
  at = at + (limit[2] and 3 or 2)
  if limit[1] then return rate(key, limit, cost) end
  return quota(key, limit, cost)
end
local function give(key)
  local limit, units, mark = limits[tonumber(ARGV[at + 1])], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  if limit[1] then
    local tat, left = tat_of(key), min(units * limit[3], mark - now)
    if tat > now and left > 0 then keep(key, tat - left) end
  else
    read_quota(key)
    if ends[key] == mark then keep(key, max(0, used[key] - units), mark) end
  end
end
local function group(k)
  local count = tonumber(ARGV[at + 1])
  local first, writes, is_over = #out, {}, false
  at = at + 2
  for i = k, k + count - 1 do
    local units, rest, value, last = ask(KEYS[i])
    out[#out + 1] = units
    out[#out + 1] = rest
    if units > 0 then writes[#writes + 1] = { KEYS[i], value, last } else is_over = true end
  end
  if not is_over then
    for i = 1, count do keep(writes[i][1], writes[i][2], writes[i][3]) end
    return k + count
  end
  for i = first + 1, #out, 2 do
    if out[i] > 0 then out[i], out[i + 1] = 0, -1 end
  end
  return k + count
end
local k = 1
while k <= #KEYS do
  local kind = ARGV[at]
  if kind == 'g' then
    k = group(k)
  elseif kind == 'b' then
    give(KEYS[k])
    k = k + 1
  else
    local units, rest, value, last = ask(KEYS[k])
    out[#out + 1] = units
    out[#out + 1] = rest
    if units > 0 then keep(KEYS[k], value, last) end
    k = k + 1
  end
end
for key in pairs(dirty) do
  local last = ends[key]
  local micros = last and last * 1000000 - now or values[key] - now
  if micros <= 0 then redis.call('DEL', key)
  else
    local value = last and string.format('%.0f %.0f', last, used[key]) or string.format('%.0f', values[key])
    redis.call('PSETEX', key, ceil(micros / 1000), value)
  end
end
return out
`;

/** By which the store knows the script once it has seen it. */
export const SCRIPT_SHA1: string = hash("sha1", SCRIPT);

import { hash } from "node:crypto";

/**
 * Decides and counts for many requests at once, each of them whole: where one of a request's limits is over, none of them is
 * counted. Every key it touches is declared, so it runs on Redis, Valkey and what else speaks their protocol. Each counter is
 * read once and written once, however many requests are about it. Time is the store's own, in whole microseconds, which a
 * double holds exactly; replicas whose clocks differ count the same.
 *
 * Where all that is asked is rates without leases, each by itself, as most requests have it, ARGV has `n`, and then for each run of
 * KEYS that are asked alike how many there are, the rate's interval and tolerance, and what each takes. Otherwise it has the
 * number of limits, and for each of them
 * - `r interval tolerance`: a rate (GCRA, ITU-T I.371), in microseconds; `R` where it has leases,
 * - `q limit start end next`: a quota of the window from `start` to `end`, or of the one from there to `next`, in Unix seconds;
 *   `Q` where it has leases,
 * - `d limit window`: so many different members within microseconds.
 * Then, in the order of KEYS,
 * - the number of its limit, and what the request takes; where it has leases what the lease would like to have, of which it gets
 *   at most half of what is left; of different members the member,
 * - `g` and a number: so many counters that are decided together stand next,
 * - `b limit units mark`: what was taken and is given back; `mark` is of a rate the TAT that taking it left behind, of a quota the
 *   end of the window. What time has given back by itself is not given back twice: a request that is held open for long earns
 *   its client nothing. Of a quota it may be less than nothing: what a request cost beyond what it took, which nothing refuses,
 * - `p limit`: how much of a quota is used, `z limit` the same, and none of it from then on,
 * - `x limit member mark`: a member that was added at `mark`, unless somebody asked for it since.
 *
 * The answer is flat: the store's time in microseconds, then behind `n` one number for each key: how long it takes from now until
 * the whole burst is back, in microseconds, or minus the microseconds after which the same request would be let in. Otherwise two
 * for each counter that is asked: what is taken (of members 1 for a new one and 2 for one that is known), and
 * - of a rate that is taken: how long it takes from now until the whole burst is back, in microseconds,
 * - of a quota that is taken: how much of the window is used, this included; of members how many there are,
 * - where 0 is taken: the microseconds after which the same request would be let in. -1: not counted, for another is over. -2: neither
 *   of the windows is the present one.
 * Of a quota that is looked at it is what is used, and 0.
 *
 * A value of a rate is its TAT (theoretical arrival time) in microseconds, of a quota `end used`, each of as many digits as may
 * be. Setting a value with an expiry costs a store three times what changing one in place does, which keeps the expiry. So
 * keys of rates end when a span of two seconds does: as long as the TAT stays within its span, its end is that of the key.
 */
export const SCRIPT = `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tonumber, floor, max, min, call, format = tonumber, math.floor, math.max, math.min, redis.call, string.format
local SPAN = 2097152
local KEYS, ARGV = KEYS, ARGV
local function ms(micros) return format('%d', micros / 1000 + 1) end
local out, found = { now }, {}
for first = 1, #KEYS, 4000 do
  local values = call('MGET', unpack(KEYS, first, min(first + 3999, #KEYS)))
  for i = 1, #values do found[first + i - 1] = values[i] end
end
local function write_rate(key, tat, old)
  local begin = floor(tat / SPAN) * SPAN
  if old >= begin and old < begin + SPAN then call('SETRANGE', key, '0', format('%016d', tat))
  elseif tat > now then call('PSETEX', key, ms(begin + SPAN - now), format('%016d', tat))
  else call('DEL', key) end
end
local place, tats, olds = {}, {}, {}
if ARGV[1] == 'n' then
  local k = 0
  for at = 2, #ARGV, 4 do
    local step, top = tonumber(ARGV[at + 1]) * tonumber(ARGV[at + 3]), now + tonumber(ARGV[at + 2])
    for i = k + 1, k + tonumber(ARGV[at]) do
      local key, value = KEYS[i], found[i]
      local first = place[key]
      local old = not first and value and #value == 16 and tonumber(value) or 0
      local tat = first and tats[first] or old
      if tat < now then tat = now elseif tat > top then tat = top end
      tat = tat + step
      if tat > top then out[i + 1] = top - tat
      else
        if not first then
          first = i
          place[key], olds[i] = i, old
        end
        tats[first] = tat
        out[i + 1] = tat - now
      end
      k = i
    end
  end
  for i = 1, k do
    if tats[i] then write_rate(KEYS[i], tats[i], olds[i]) end
  end
  return out
end
local limits, at = {}, 2
for i = 1, tonumber(ARGV[1]) do
  local kind = ARGV[at]
  local has_leases = kind == 'R' or kind == 'Q'
  if kind == 'r' or kind == 'R' then
    limits[i] = { 'r', has_leases, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]) }
    at = at + 3
  elseif kind == 'd' then
    limits[i] = { 'd', false, tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]) }
    at = at + 3
  else
    local first, last, next = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    if now >= last * 1000000 then first, last = last, next end
    local is_present = now >= first * 1000000 and now < last * 1000000
    limits[i] = { 'q', has_leases, tonumber(ARGV[at + 1]), last, is_present }
    at = at + 5
  end
end
local quotas, ends, used, kept = {}, {}, {}, {}
local function tat_of(i, key)
  return max(now, tats[place[key] or 0] or tonumber(found[i] or 0) or 0)
end
local function keep_rate(i, key, tat)
  local first = place[key]
  if not first then
    first = i
    place[key], olds[i] = i, found[i] and #found[i] == 16 and tonumber(found[i]) or 0
  end
  tats[first] = tat
end
local function units_of(limit, cost, left)
  if not limit[2] then return cost end
  return max(cost, min(tonumber(ARGV[at - 1]), floor(left / 2)))
end
local function rate(i, key, limit, cost)
  local interval, top = limit[3], now + limit[4]
  local tat = min(tat_of(i, key), top)
  local wait = tat + cost * interval - top
  if wait > 0 then return 0, wait end
  local units = units_of(limit, cost, (top - tat) / interval)
  tat = tat + units * interval
  return units, tat - now, tat
end
local function read_quota(i, key)
  if ends[key] or not found[i] then return end
  local of, count = string.match(found[i], '^(%d+) (%d+)$')
  if of then ends[key], used[key] = tonumber(of), tonumber(count) end
  if of and #found[i] == 27 then kept[key] = ends[key] end
end
local function keep_quota(i, key, count, last)
  quotas[key], ends[key], used[key] = true, last, count
end
local function quota(i, key, limit, cost)
  if not limit[5] then return 0, -2 end
  local last = limit[4]
  read_quota(i, key)
  local count = ends[key] == last and used[key] or 0
  if count + cost > limit[3] then return 0, last * 1000000 - now end
  local units = units_of(limit, cost, limit[3] - count)
  return units, count + units, count + units, last
end
local function members(key, limit, member)
  local since = now - limit[4]
  local score, live = call('ZSCORE', key, member), '(' .. format('%d', since)
  local count = call('ZCOUNT', key, live, '+inf')
  if score and tonumber(score) > since then return 2, count, member end
  if count < limit[3] then return 1, count + 1, member end
  local oldest = call('ZRANGEBYSCORE', key, live, '+inf', 'WITHSCORES', 'LIMIT', '0', '1')
  return 0, tonumber(oldest[2]) - since
end
local function keep_member(key, limit, member)
  call('ZREMRANGEBYSCORE', key, '-inf', format('%d', now - limit[4]))
  call('ZADD', key, format('%d', now), member)
  call('PEXPIRE', key, ms(limit[4]))
end
local function ask(i)
  local key, limit, cost = KEYS[i], limits[tonumber(ARGV[at])], ARGV[at + 1]
  at = at + (limit[2] and 3 or 2)
  if limit[1] == 'd' then return limit, members(key, limit, cost) end
  if limit[1] == 'r' then return limit, rate(i, key, limit, tonumber(cost)) end
  return limit, quota(i, key, limit, tonumber(cost))
end
local function keep(i, limit, value, last)
  if limit[1] == 'r' then keep_rate(i, KEYS[i], value)
  elseif limit[1] == 'q' then keep_quota(i, KEYS[i], value, last)
  else keep_member(KEYS[i], limit, value) end
end
local function give(i)
  local key, limit, units, mark = KEYS[i], limits[tonumber(ARGV[at + 1])], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  if limit[1] == 'r' then
    local tat, left = tat_of(i, key), min(units * limit[3], mark - now)
    if tat > now and left > 0 then keep_rate(i, key, tat - left) end
    return
  end
  read_quota(i, key)
  local is_fresh = units < 0 and (ends[key] or 0) < mark
  if mark * 1000000 <= now or ends[key] ~= mark and not is_fresh then return end
  local count = ends[key] == mark and used[key] or 0
  keep_quota(i, key, min(9007199254740991, max(0, count - units)), mark)
end
local function look(i, is_reset)
  local key, limit = KEYS[i], limits[tonumber(ARGV[at + 1])]
  at = at + 2
  read_quota(i, key)
  local count = ends[key] == limit[4] and used[key] or 0
  if is_reset and count > 0 then keep_quota(i, key, 0, limit[4]) end
  out[#out + 1] = count
  out[#out + 1] = 0
end
local function forget(i)
  local member = ARGV[at + 2]
  local score = call('ZSCORE', KEYS[i], member)
  if score and tonumber(score) == tonumber(ARGV[at + 3]) then call('ZREM', KEYS[i], member) end
  at = at + 4
end
local function group(k)
  local count = tonumber(ARGV[at + 1])
  local first, writes, is_over = #out, {}, false
  at = at + 2
  for i = k, k + count - 1 do
    local limit, units, rest, value, last = ask(i)
    out[#out + 1] = units
    out[#out + 1] = rest
    if units > 0 then writes[#writes + 1] = { limit, value, last } else is_over = true end
  end
  if not is_over then
    for i = 1, count do keep(k + i - 1, writes[i][1], writes[i][2], writes[i][3]) end
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
  if kind == 'g' then k = group(k)
  elseif kind == 'b' then
    give(k)
    k = k + 1
  elseif kind == 'p' or kind == 'z' then
    look(k, kind == 'z')
    k = k + 1
  elseif kind == 'x' then
    forget(k)
    k = k + 1
  else
    local limit, units, rest, value, last = ask(k)
    out[#out + 1] = units
    out[#out + 1] = rest
    if units > 0 then keep(k, limit, value, last) end
    k = k + 1
  end
end
for i = 1, #KEYS do
  if tats[i] then write_rate(KEYS[i], tats[i], olds[i]) end
end
for key in pairs(quotas) do
  if kept[key] == ends[key] then call('SETRANGE', key, '11', format('%016d', used[key]))
  else call('PSETEX', key, ms(ends[key] * 1000000 - now), format('%010d %016d', ends[key], used[key])) end
end
return out
`;

/** By which the store knows the script once it has seen it. */
export const SCRIPT_SHA1: string = hash("sha1", SCRIPT);

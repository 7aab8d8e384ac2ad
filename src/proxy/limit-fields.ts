import type { LimitFields, LimitPolicy, LimitState } from "../message/limit-state.ts";

/**
 * What an answer tells of the limits that its request met: RateLimit and RateLimit-Policy as in
 * draft-ietf-httpapi-ratelimit-headers-11, each one List (RFC 9651 section 3.1) of all of them, and by option the older
 * fields, which have room for one limit: the tightest. `wallMs`: Unix milliseconds.
 */
export function limitLines(last: LimitState, wallMs: number): string {
  const { fields } = last.policy;
  let lines = "";
  for (const one of fields) {
    if (one === "draft-11") lines += draft11Lines(last);
    else if (one === "draft-06") lines += draft06Lines(tightest(last));
    else lines += xLines(tightest(last), wallMs);
  }
  return lines;
}

const SINGLE: Readonly<Record<LimitFields, readonly string[]>> = {
  // Both are lists, to which everybody on the way may add.
  "draft-11": [],
  "draft-06": ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
  "x-ratelimit": ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
};
const singles = new WeakMap<readonly LimitFields[], ReadonlySet<string>>();

/** Names of the fields of `limitLines` that have room for one number: the service's own would make them unreadable. */
export function singleFields({ policy: { fields } }: LimitState): ReadonlySet<string> {
  const known = singles.get(fields);
  if (known !== undefined) return known;
  const names = new Set(fields.flatMap((one) => SINGLE[one]));
  singles.set(fields, names);
  return names;
}

function draft11Lines(last: LimitState): string {
  let policies = "";
  let states = "";
  for (let state: LimitState | null = last; state !== null; state = state.before) {
    const { policy, remaining, resetSeconds, partition } = state;
    const separator = policies === "" ? "" : ", ";
    const key = partition === null ? "" : `;pk=${byteSequence(partition)}`;
    policies = `${policyItem(policy)}${key}${separator}${policies}`;
    states = `"${policy.name}";r=${remaining};t=${resetSeconds}${key}${separator}${states}`;
  }
  return `ratelimit-policy: ${policies}\r\nratelimit: ${states}\r\n`;
}

const items = new WeakMap<LimitPolicy, string>();

/** One member of RateLimit-Policy, without its partition key; written once for each policy. */
export function policyItem(policy: LimitPolicy): string {
  const known = items.get(policy);
  if (known !== undefined) return known;
  const unit = policy.unit === "requests" ? "" : `;qu="${policy.unit}"`;
  const window = policy.windowSeconds === 0 ? "" : `;w=${policy.windowSeconds}`;
  const item = `"${policy.name}";q=${policy.quota}${unit}${window};postern-scope=${policy.scope}`;
  items.set(policy, item);
  return item;
}

/** RFC 9651 section 3.3.5. */
function byteSequence([high, low]: readonly [number, number]): string {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeInt32BE(high, 0);
  bytes.writeInt32BE(low, 4);
  return `:${bytes.toString("base64")}:`;
}

/** Three fields, as in the drafts up to 06 and in Kong's answers. */
function draft06Lines({ policy, remaining, resetSeconds }: LimitState): string {
  return `ratelimit-limit: ${policy.quota}\r\nratelimit-remaining: ${remaining}\r\nratelimit-reset: ${resetSeconds}\r\n`;
}

/** As Tyk and GitHub have them: the moment of the reset, in Unix seconds. */
function xLines({ policy, remaining, resetSeconds }: LimitState, wallMs: number): string {
  const reset = Math.ceil(wallMs / 1000) + resetSeconds;
  return `x-ratelimit-limit: ${policy.quota}\r\nx-ratelimit-remaining: ${remaining}\r\nx-ratelimit-reset: ${reset}\r\n`;
}

/** The one with the least left; of equal ones the one that stays so for longest. Requests go before all other units. */
function tightest(last: LimitState): LimitState {
  let best = last;
  for (let state = last.before; state !== null; state = state.before) {
    const [counts, bestCounts] = [state, best].map(({ policy }) => policy.unit === "requests");
    if (counts !== bestCounts) {
      if (counts === true) best = state;
      continue;
    }
    const isTighter =
      state.remaining < best.remaining ||
      (state.remaining === best.remaining && state.resetSeconds > best.resetSeconds);
    if (isTighter) best = state;
  }
  return best;
}

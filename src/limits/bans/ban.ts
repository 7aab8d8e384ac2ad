/** What a ban of the policy counts by. */
export interface BanRule {
  /** In the policy. */
  readonly name: string;
  /** So many denials, or so high a score, within `windowMs` are free; the next one is the ban. */
  readonly times: number;
  readonly windowMs: number;
  readonly forMs: number;
  /** Each ban within a day of the last one's end is twice as long. */
  readonly growing: boolean;
}

/** One ban, as it is listed. */
export interface Ban {
  /** Its name in the policy. */
  readonly ban: string;
  /** Whom it meets, as far as that may be shown: an address, `authenticator/account`, names and values of attributes. */
  readonly key: string;
  /** Tells the key from others that look alike; nothing of the key can be read from it. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** How many bans there were of this key, each within a day of the last one's end. */
  readonly count: number;
}

/** What `BanTable` keeps of a ban; `key` is the keyed hash by which it is found. */
export interface BanEntry {
  readonly key: number;
  readonly label: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly count: number;
}

/** 53 bits of a key's hash as hexadecimal digits, as `postern bans` takes it. */
export function banId(key: number): string {
  return key.toString(16).padStart(14, "0");
}

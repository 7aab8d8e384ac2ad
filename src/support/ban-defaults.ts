/** Of who is not heard for a while: the part of `DEFAULTS` about `bans`. */
export const BAN_DEFAULTS = {
  /** Entries of the policy's `bans`; and those whose bans are kept, of earlier policies among them. */
  banRulesMax: 32,
  banRulesKeptMax: 64,
  /** Bans of all of them that hold or are remembered and are listed; what each has beyond that; and what one costs. */
  bansMax: 10_000,
  banRoomMin: 150,
  memoryBanBytes: 512,
  /** Of each, further bans that hold: they are not listed and end with the process. */
  banOverflowKeys: 65_536,
  banMsMax: 24 * 3_600_000,
  /** Without a state folder, a restart lifts bans: worth a warning where they last longer. */
  banUnkeptMsMax: 3_600_000,
  /** A ban within so long of the last one's end is the next one in the row. */
  banRememberedMs: 24 * 3_600_000,
  /** Where there is no room, how often bans that are over are looked for. */
  banSweepMs: 1_000,
  /** Keys of each whose denials are counted at once; and callers that were good at an address. */
  banFailureKeys: 65_536,
  banGoodKeys: 65_536,
  banGoodMs: 24 * 3_600_000,
  banLabelCharsMax: 200,
  /** Bans that one answer of the admin port lists. */
  banListMax: 1_000,
  /** How long after a change bans are written; and callers that were good. */
  banWriteMs: 250,
  banGoodWriteMs: 60_000,
  /** How long requests wait, after a start, for the bans from before. */
  banLoadMs: 5_000,
} as const;

/** Of what clients make the process hold: a part of `DEFAULTS`. */
export const MEMORY_DEFAULTS = {
  // Memory: what the accounts of the budget count by, as measured with 4,900 connections of a kind (docs/limits.md).
  memoryWaitingBytes: 12 * 1024,
  memoryHandshakeBytes: 80 * 1024,
  memoryTlsConnectionBytes: 58 * 1024,
  memoryPlainConnectionBytes: 14 * 1024,
  memoryStreamBytes: 6 * 1024,
  /** A verified token beside its text: what it says, parsed. */
  memoryTokenBytes: 1024,
  /** A proof that may not be shown again: half a hash, and its place in a set. */
  memoryProofBytes: 80,
  memoryWebSocketBytes: 64 * 1024,
  /** What the process is by itself, its heap full of garbage that waits for the next collection. */
  memoryReservedBytes: 128 * 1024 * 1024,
  /** Where that leaves little, the budget is this share of the limit all the same. */
  memoryBudgetShareMin: 0.25,
  /** What the process may hold on a machine that sets no limit. */
  memoryUnlimitedBytes: 2 * 1024 * 1024 * 1024,
  memoryLimitBytesMin: 64 * 1024 * 1024,
  /** Of an account, what one client address may hold. */
  memoryClientShare: 0.5,
  /** How many holders of memory are asked to give way to one newcomer. */
  memoryHoldersAskedMax: 64,
} as const;

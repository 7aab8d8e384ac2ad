import { DEFAULTS } from "../support/defaults.ts";
import { Account, type Client } from "./account.ts";
import type { MachineLimit } from "./machine-limit.ts";
import { YieldingAccount } from "./yielding-account.ts";

/** What the process's memory is held for; closed, for it is a metric label. Shares are of the budget, and make one. */
export const ACCOUNTS = {
  handshakes: 0.2, // TLS handshakes that are not through, and what comes before them
  connections: 0.4, // connections of clients, whatever they are at
  bodies: 0.21, // bodies that are not passed on yet
  streams: 0.12, // streams of HTTP/2 beyond the first of a connection, and WebSockets
  caches: 0.03, // verified tokens
  proofs: 0.03, // proofs that may not be shown again
  tables: 0.01, // counters of rate limits
} as const;

export type AccountName = keyof typeof ACCOUNTS;

export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as AccountName[];

/**
 * One budget for what clients make the process hold. What the process is by itself (runtime, code, policy, garbage that
 * waits for its collection) is set aside first; the rest is shared out to the accounts.
 */
export class MemoryBudget implements Readonly<Record<AccountName, Account>> {
  readonly handshakes: YieldingAccount = new YieldingAccount();
  readonly connections: YieldingAccount = new YieldingAccount();
  readonly bodies: Account = new Account();
  readonly streams: Account = new Account();
  readonly caches: Account = new Account();
  readonly proofs: Account = new Account();
  readonly tables: Account = new Account();
  /** What the process may hold, in bytes; 0 before it is known. */
  limitBytes = 0;
  readonly machineBytes: number;
  /** False where the machine sets no limit, and `machineBytes` is only what a process may have that nobody bounds. */
  readonly isGranted: boolean;

  constructor({ bytes, isGranted }: MachineLimit) {
    this.machineBytes = bytes;
    this.isGranted = isGranted;
    this.setLimit(null);
  }

  /** `policyBytes`: what the policy allows; a limit of the machine's holds too. What is held already stays. */
  setLimit(policyBytes: number | null): void {
    const most = this.isGranted || policyBytes === null ? this.machineBytes : Number.POSITIVE_INFINITY;
    this.limitBytes = Math.min(most, policyBytes ?? Number.POSITIVE_INFINITY);
    for (const name of ACCOUNT_NAMES) {
      const account = this[name];
      account.bytesMax = Math.floor(this.bytes * ACCOUNTS[name]);
      account.clientBytesMax = Math.floor(account.bytesMax * DEFAULTS.memoryClientShare);
    }
  }

  /** What is shared out. */
  get bytes(): number {
    const { memoryReservedBytes, memoryBudgetShareMin } = DEFAULTS;
    return Math.max(this.limitBytes - memoryReservedBytes, this.limitBytes * memoryBudgetShareMin);
  }
}

/** Holds what belongs to no client. */
export const NOBODY: Client = { key: "", isMany: true };

/** For those who serve nobody: `check`, `explain`, most tests. */
export function unlimitedMemory(): MemoryBudget {
  return new MemoryBudget({ bytes: Number.POSITIVE_INFINITY, isGranted: false });
}

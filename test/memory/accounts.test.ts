import { describe, expect, test } from "vitest";
import { Account, Charge, type Client } from "../../src/memory/account.ts";
import { ACCOUNT_NAMES, ACCOUNTS, MemoryBudget } from "../../src/memory/budget.ts";
import { type Holder, YieldingAccount } from "../../src/memory/yielding-account.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const MIB = 1024 * 1024;
const greedy: Client = { key: 1, isMany: false };
const modest: Client = { key: 2, isMany: false };
const proxy: Client = { key: 3, isMany: true };

function bounded<T extends Account>(account: T, bytesMax: number, clientBytesMax: number): T {
  account.bytesMax = bytesMax;
  account.clientBytesMax = clientBytesMax;
  return account;
}

describe("an account", () => {
  test("refuses a client beyond its share, and everybody beyond what it has", () => {
    const account = bounded(new Account(), 100, 60);
    expect(account.take(greedy, 60)).toBe(true);
    expect(account.take(greedy, 1)).toBe(false);
    expect(account.take(modest, 40)).toBe(true);
    expect(account.take(modest, 1)).toBe(false);
    expect([account.heldBytes, account.refused]).toEqual([100, 2]);
    account.release(greedy, 60);
    expect(account.take(modest, 20)).toBe(true);
    expect([account.heldBytes, account.heldBy(1), account.heldBy(2)]).toEqual([60, 0, 60]);
  });

  test("gives a proxy no share of its own, for it is many clients", () => {
    const account = bounded(new Account(), 100, 10);
    expect(account.take(proxy, 100)).toBe(true);
    expect(account.take(proxy, 1)).toBe(false);
  });

  test("bounds what cannot be refused by the client's share alone", () => {
    const account = bounded(new Account(), 100, 60);
    account.take(greedy, 60);
    account.take(modest, 40);
    expect(account.takeUnasked(modest, 20)).toBe(true);
    expect(account.takeUnasked(modest, 1)).toBe(false);
    expect(account.heldBytes).toBe(120);
  });

  test("a charge holds what it was last told, and gives back what it holds once", () => {
    const account = bounded(new Account(), 100, 100);
    const charge = new Charge(account, greedy);
    expect([charge.hold(50), account.heldBytes]).toEqual([true, 50]);
    expect([charge.hold(80), account.heldBytes]).toEqual([true, 80]);
    expect([charge.hold(101), account.heldBytes]).toEqual([false, 80]);
    expect([charge.hold(10), account.heldBytes]).toEqual([true, 10]);
    charge.release();
    charge.release();
    expect(account.heldBytes).toBe(0);
  });
});

/** Goes when it is asked to, unless it is busy. */
class TestHolder implements Holder {
  busy = false;
  gone = false;
  readonly client: Client;
  constructor(client: Client) {
    this.client = client;
  }
  giveWay(): boolean {
    this.gone = !this.busy;
    return this.gone;
  }
}

describe("an account whose holders give way", () => {
  const fill = (account: YieldingAccount, client: Client, count: number): TestHolder[] =>
    Array.from({ length: count }, () => {
      const holder = new TestHolder(client);
      expect(account.enter(holder, 10)).toBe(true);
      return holder;
    });
  const gone = (holders: readonly TestHolder[]): boolean[] => holders.map((holder) => holder.gone);

  test("a client whose share is spent makes room among its own, the oldest first", () => {
    const account = bounded(new YieldingAccount(), 100, 30);
    const others = fill(account, modest, 1);
    const own = fill(account, greedy, 5);
    expect(gone(own)).toEqual([true, true, false, false, false]);
    expect(gone(others)).toEqual([false]);
    expect([account.heldBytes, account.yielded, account.refused]).toEqual([40, 2, 0]);
  });

  test("where the account is spent, the client with the most makes room for another", () => {
    const account = bounded(new YieldingAccount(), 50, 40);
    const most = fill(account, greedy, 4);
    const few = fill(account, modest, 1);
    const late = fill(account, { key: 9, isMany: false }, 1);
    expect(gone([...most, ...few, ...late])).toEqual([true, false, false, false, false, false]);
  });

  test("what is in use stays; where all of it is, the newcomer is refused", () => {
    const account = bounded(new YieldingAccount(), 100, 20);
    const [first, second] = fill(account, greedy, 2);
    if (first !== undefined) first.busy = true;
    fill(account, greedy, 1);
    expect([first?.gone, second?.gone]).toEqual([false, true]);
    const all = bounded(new YieldingAccount(), 20, 20);
    for (const holder of fill(all, greedy, 2)) holder.busy = true;
    expect(all.enter(new TestHolder(modest), 10)).toBe(false);
    expect([all.heldBytes, all.refused]).toEqual([20, 1]);
  });

  test("asks no more holders than it may for one newcomer", () => {
    const count = 4 * DEFAULTS.memoryHoldersAskedMax;
    const account = bounded(new YieldingAccount(), 10 * count, 10 * count);
    let asked = 0;
    for (const holder of fill(account, greedy, count)) {
      holder.giveWay = () => {
        asked++;
        return false;
      };
    }
    expect(account.enter(new TestHolder(greedy), 10)).toBe(false);
    expect(asked).toBeLessThanOrEqual(2 * DEFAULTS.memoryHoldersAskedMax);
  });

  test("a holder that grows is not asked to give way to itself", () => {
    const account = bounded(new YieldingAccount(), 30, 30);
    const [first, second] = fill(account, greedy, 2);
    if (first === undefined || second === undefined) throw new Error("no holders");
    expect(account.resize(first, 30)).toBe(true);
    expect([first.gone, second.gone, account.heldBytes]).toEqual([false, true, 30]);
    account.leave(first);
    account.leave(first);
    expect(account.heldBytes).toBe(0);
  });

  test("a holder that went while it was asked is out once", () => {
    const account = bounded(new YieldingAccount(), 100, 10);
    const [own] = fill(account, greedy, 1);
    if (own === undefined) throw new Error("no holder");
    own.giveWay = () => {
      account.leave(own);
      return true;
    };
    expect(account.enter(new TestHolder(greedy), 10)).toBe(true);
    expect(account.heldBytes).toBe(10);
  });
});

describe("the budget", () => {
  const granted = (bytes: number) => new MemoryBudget({ bytes, isGranted: true });

  test("shares out all that is left beside the process itself", () => {
    expect(Object.values<number>(ACCOUNTS).reduce((sum, share) => sum + share)).toBeCloseTo(1);
    const budget = granted(256 * MIB);
    const shares = ACCOUNT_NAMES.map((name) => budget[name].bytesMax);
    expect(shares.reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(256 * MIB - DEFAULTS.memoryReservedBytes);
    for (const name of ACCOUNT_NAMES) expect(budget[name].clientBytesMax).toBeLessThan(budget[name].bytesMax);
  });

  test("the policy narrows what is granted and never widens it, and goes back to it when it says nothing", () => {
    const budget = granted(512 * MIB);
    budget.setLimit(256 * MIB);
    expect(budget.connections.bytesMax).toBe(granted(256 * MIB).connections.bytesMax);
    budget.setLimit(1024 * MIB);
    expect(budget.limitBytes).toBe(512 * MIB);
    budget.setLimit(null);
    expect(budget.limitBytes).toBe(512 * MIB);
  });

  test("on a machine that grants nothing the policy may say more than is taken by itself", () => {
    const budget = new MemoryBudget({ bytes: DEFAULTS.memoryUnlimitedBytes, isGranted: false });
    budget.setLimit(8 * DEFAULTS.memoryUnlimitedBytes);
    expect(budget.limitBytes).toBe(8 * DEFAULTS.memoryUnlimitedBytes);
  });

  test("where nobody sets a limit, today's numbers of connections fit", () => {
    const budget = new MemoryBudget({ bytes: DEFAULTS.memoryUnlimitedBytes, isGranted: false });
    const { connectionsMax, addressConnectionsShare, memoryTlsConnectionBytes } = DEFAULTS;
    expect(budget.connections.bytesMax).toBeGreaterThan(connectionsMax * memoryTlsConnectionBytes);
    const perAddress = connectionsMax * addressConnectionsShare;
    expect(budget.connections.clientBytesMax).toBeGreaterThan(perAddress * memoryTlsConnectionBytes);
  });
});

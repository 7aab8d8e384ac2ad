import { expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { FairShare, type Holding } from "../../src/upstream/fair-share.ts";

const NOW_MS = 10_000;
const held = (holder: string, awaitedForMs: number): Holding => ({
  holder,
  clientAwaitedSinceMs: NOW_MS - awaitedForMs,
});
const busy = (holder: string): Holding => ({ holder, clientAwaitedSinceMs: Number.POSITIVE_INFINITY });
const waiter = (client: string) => ({ client });

test("who holds least is next, and among equals who came first", () => {
  const share = new FairShare([busy("a"), busy("a"), busy("b")]);
  const first = waiter("b");
  expect(share.next([waiter("a"), first, waiter("b")])).toBe(first);
  const stranger = waiter("c");
  expect(share.next([waiter("a"), first, stranger, waiter("c")])).toBe(stranger);
  expect(share.next([])).toBeUndefined();
});

test("a client that holds many and keeps them waiting gives up the one that has waited longest", () => {
  const slow = DEFAULTS.greedyClientYieldMs + 10;
  const longest = held("greedy", slow + 5);
  const open = [held("greedy", slow), longest, held("greedy", slow + 1), held("other", slow + 500)];
  expect(new FairShare(open).reclaim(open, waiter("new"), NOW_MS)).toBe(longest);
});

test("nobody loses a connection on which the service is at work", () => {
  const open = [busy("greedy"), busy("greedy"), busy("greedy")];
  expect(new FairShare(open).reclaim(open, waiter("new"), NOW_MS)).toBeUndefined();
});

test("a client that holds no more than its share is given more time, though not for ever", () => {
  const open = [held("a", DEFAULTS.slowClientYieldMs - 1)];
  expect(new FairShare(open).reclaim(open, waiter("b"), NOW_MS)).toBeUndefined();
  const slower = [held("a", DEFAULTS.slowClientYieldMs)];
  expect(new FairShare(slower).reclaim(slower, waiter("b"), NOW_MS)).toBe(slower[0]);
});

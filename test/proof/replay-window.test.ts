import { expect, test } from "vitest";
import { Account } from "../../src/memory/account.ts";
import { ReplayWindow } from "../../src/proof/replay-window.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";

const ALICE = { key: 1, isMany: false };
const BOB = { key: 2, isMany: false };
const START = 1_795_262_400_000;

function roomFor(proofs: number) {
  const account = new Account();
  account.bytesMax = proofs * DEFAULTS.memoryProofBytes;
  account.clientBytesMax = account.bytesMax / 2;
  return { account, window: new ReplayWindow(account) };
}

test("what was shown is known until its time is over, whoever shows it and whatever end it claims", () => {
  const { window } = roomFor(100);
  expect(window.spend("a", START + 60_000, START, ALICE)).toBe("new");
  expect(window.spend("a", START + 60_000, START + 59_999, BOB)).toBe("replayed");
  expect(window.spend("a", START + 900_000, START + 59_999, BOB)).toBe("replayed");
  expect(window.spend("b", START + 60_000, START + 59_999, BOB)).toBe("new");
  expect(window.spend("a", START + 60_000, START + 60_000, BOB)).toBe("late");
});

test("a clock that is set back brings nothing back", () => {
  const { window } = roomFor(100);
  expect(window.spend("a", START + 60_000, START, ALICE)).toBe("new");
  expect(window.spend("b", START + 200_000, START + 120_000, ALICE)).toBe("new");
  expect(window.spend("a", START + 60_000, START, ALICE)).toBe("late");
});

test("a full window refuses newcomers and forgets nothing; one client fills its share alone", () => {
  const { account, window } = roomFor(10);
  const spend = (key: string, client: typeof ALICE, nowMs = START) => window.spend(key, nowMs + 60_000, nowMs, client);
  for (let at = 0; at < 5; at++) expect(spend(`a${at}`, ALICE)).toBe("new");
  expect(spend("a5", ALICE)).toBe("full");
  for (let at = 0; at < 5; at++) expect(spend(`b${at}`, BOB)).toBe("new");
  expect(spend("c", { key: 3, isMany: false })).toBe("full");
  expect(spend("a0", BOB)).toBe("replayed");
  expect(window.refused).toBe(2);
  expect(window.size).toBe(10);
  expect(spend("a5", ALICE, START + 120_000)).toBe("new");
  expect(account.heldBytes).toBe(DEFAULTS.memoryProofBytes);
  window.close();
  expect(account.heldBytes).toBe(0);
});

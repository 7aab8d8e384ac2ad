import { expect, test } from "vitest";
import { Memo, MemoRoom } from "../../src/detection/rules/memo.ts";

test("the last values are remembered, and those that are asked for stay", () => {
  const memo = new Memo<number>(2, new MemoRoom(1000));
  memo.set("a", 1);
  for (const key of ["b", "c", "d", "e"]) {
    memo.set(key, 0);
    expect(memo.get("a")).toBe(1);
  }
  for (const key of ["f", "g", "h", "i"]) memo.set(key, 0);
  expect(memo.get("a")).toBeUndefined();
});

test("memos of one room begin anew when it is full", () => {
  const room = new MemoRoom(10);
  const [one, other] = [new Memo<number>(100, room), new Memo<number>(100, room)];
  one.set("12345", 1);
  other.set("12345", 2);
  other.set("6", 3);
  expect([other.get("12345"), other.get("6")]).toEqual([undefined, 3]);
  one.set("7", 4);
  expect([one.get("12345"), one.get("7")]).toEqual([undefined, 4]);
});

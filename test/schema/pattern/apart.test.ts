// Goal: a text that tells two patterns apart is found where there is one, and is what it is said to be.
import { expect, test } from "vitest";
import { textApart } from "../../../src/schema/pattern/apart.ts";

const ANY = { min: 0, max: Number.POSITIVE_INFINITY };

test.each([
  ["^[a-z]+$", "^[a-z]{2,}$", "a"],
  ["^[a-z]{1,64}$", "^[a-z]{1,32}$", "a".repeat(33)],
  ["^[a-z]{2,3}$", "^[a-z]{1,3}$", null],
  ["^[a-z]{1,3}$", "^[a-z]{2,3}$", "a"],
  ["^\\d+$", "^[0-9]+$", null],
  ["^[a-z0-9-]+$", "^[a-z0-9]+$", "-"],
  ["abc", "^abc", "aabc"],
  ["^abc", "abc", null],
  ["^(?:get|put)$", "^(?:get|post)$", "put"],
  ["^A-\\d{4}$", "^[A-Z]-\\d{4}$", null],
  ["^[A-Z]-\\d{4}$", "^A-\\d{4}$", "B-0000"],
  ["^[a-z]+$", "^(?!admin$)[a-z]+$", "admin"],
  ["^\\p{Lu}$", "^[A-Z]$", /^[^A-Z]$/u],
  ["x", "x|y", null],
  ["(?i:x)", "x", "X"],
])("%s but not %s: %s", (taking, refusing, wanted) => {
  const text = textApart(taking, refusing, ANY);
  if (typeof wanted === "string" || wanted === null) expect(text).toBe(wanted);
  else expect(text).toMatch(wanted);
});

test("a text is as long as somebody wants it", () => {
  expect(textApart("^[a-z]+$", "^[b-z]+$", { min: 5, max: 8 })).toHaveLength(5);
  expect(textApart("^[a-z]{9}$", "^$", { min: 0, max: 8 })).toBeNull();
});

test("of random patterns V8 agrees with what is found, and none of its own texts tells more", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const part = (depth: number): string => {
    const kind = random(depth > 2 ? 3 : 6);
    if (kind < 2) return "ab1"[random(3)] ?? "a";
    if (kind === 2) return ["[ab]", "[^a]", "\\d", "."][random(4)] ?? ".";
    if (kind === 3) return `(?:${part(depth + 1)}|${part(depth + 1)})`;
    if (kind === 4) return `(?:${part(depth + 1)})${["*", "+", "?", "{2}"][random(4)]}`;
    return part(depth + 1) + part(depth + 1);
  };
  const pattern = (): string => `${random(3) === 0 ? "" : "^"}${part(0)}${random(3) === 0 ? "" : "$"}`;
  const texts = [""];
  for (let at = 0; texts.length < 400; at++) for (const char of "ab1x") texts.push(`${texts[at]}${char}`);
  let apart = 0;
  for (let round = 0; round < 300; round++) {
    const [one, other] = [pattern(), pattern()];
    const found = textApart(one, other, ANY);
    const tells = (text: string): boolean => new RegExp(one, "u").test(text) && !new RegExp(other, "u").test(text);
    if (found === null) expect(texts.filter(tells), `${one} ${other}`).toEqual([]);
    else expect(tells(found), `${one} ${other} ${found}`).toBe(true);
    if (found !== null) apart++;
  }
  expect(apart).toBeGreaterThan(50);
});

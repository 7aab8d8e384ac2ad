// Goal: what docs/limits-guide.md and the page of bans say is a policy, and the numbers and reasons in them are the product's.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { REASONS, type Reason } from "../src/decision/reason.ts";
import { BANNED_FOR, GUESSES } from "../src/filters/bans/reasons.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf, warningsOf } from "./policy/policy-kit.ts";

const read = (name: string): string => readFileSync(resolve(import.meta.dirname, "..", name), "utf8");
const section = read("docs/limits-guide.md").split("## Bans\n")[1]?.split(/\n## /)[0] ?? "";
const page = read("src/filters/bans/README.md");
const blocksOf = (text: string) => [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const blocks = [...blocksOf(section), ...blocksOf(page)];
const rows = [...section.matchAll(/^\| [^|]+ \| `(\{ on: .*\})` \|$/gm)].map((match) => match[1] ?? "");

function policyOf(top: Readonly<Record<string, unknown>>): string {
  const routes = [{ path: "/orders", public: true }];
  return policyWith(stringify({ state: { directory: "/var/lib/postern" }, ...top, routes }));
}

test("the section has its block and rows", () => {
  expect([blocks.length, rows.length]).toEqual([2, 9]);
});

test.each(blocks)("%s", async (text) => {
  expect(await problemsOf(policyOf(parse(text)))).toEqual([]);
});

test.each(rows)("%s", async (text) => {
  const policy = policyOf({ bans: { one: parse(text) as unknown } });
  expect(await problemsOf(policy)).toEqual([]);
  expect((await warningsOf(policy)).filter((warning) => /ban|counted/.test(warning))).toEqual([]);
});

test("the page names no reason that is none, and each family of guesses", () => {
  const [guesses = "", others = ""] = page.split("**Of a key**");
  const table = others.split("\n").filter((line) => /^\| [a-z ]+ \| `/.test(line));
  const named = [...table.join().matchAll(/`([a-z_]+)`/g)].map(([, word = ""]) => word);
  const words = new Set<string>(BANNED_FOR.filter((reason) => !GUESSES.has(reason)));
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((word) => !words.has(word))).toEqual([]);
  for (const reason of GUESSES) {
    const family = reason.replace(/^(certificate|api_key|user|token|proof|signature)_.*$/, "$1_…");
    expect(guesses, reason).toContain(`\`${family}\``);
  }
});

test("only what a client did is a reason, and never the ban itself", () => {
  const left = Object.keys(REASONS).filter((reason) => !BANNED_FOR.includes(reason as Reason));
  const ofClients = left.filter((reason) => REASONS[reason as Reason].source === "client");
  expect(
    ofClients.filter((reason) => !/^(?:client|stream)_|^(?:banned|keys_outdated|websocket_violation)$/.test(reason)),
  ).toEqual([]);
  expect(BANNED_FOR).not.toContain("banned");
});

test("their numbers are the product's", () => {
  const number = (value: number): string => value.toLocaleString("en-US");
  expect(section).toContain(`at most ${number(DEFAULTS.banListMax)} keys`);
  for (const text of [
    `${number(DEFAULTS.bansMax)} bans are listed`,
    `${DEFAULTS.banRoomMin} of each entry`,
    `a table of ${number(DEFAULTS.banOverflowKeys)} places`,
    `${number(DEFAULTS.banFailureKeys)} keys`,
    `${number(DEFAULTS.banGoodKeys)} addresses and callers`,
  ]) {
    expect(page.replaceAll("\n", " ")).toContain(text);
  }
  expect([DEFAULTS.banWriteMs, DEFAULTS.banGoodWriteMs, DEFAULTS.banLoadMs]).toEqual([250, 60_000, 5_000]);
});

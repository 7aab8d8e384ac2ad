import { parseJsonInTurns } from "../src/bodies/json.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { Turns } from "../src/support/turns.ts";
import { fill, MIB } from "./bodies.ts";
import { leastStretches } from "./stretches.ts";

/**
 * `npm run bench:reading`: bodies of 1 MiB of each kind, read in turns: CPU time of the thread in all, and the longest that it
 * is held at a stretch, the least of some rounds. `-- WORD`: only kinds with the word in their names.
 */
const ROUNDS = 5;
const escapes = (text: string, count: number): string => `"${text.repeat(count)}"`;

const KINDS: readonly (readonly [kind: string, body: string])[] = [
  ["an object of as many members as may be", wide(DEFAULTS.jsonMembersMax, (at) => `member${at}`)],
  ["one member more", wide(DEFAULTS.jsonMembersMax + 1, (at) => `member${at}`)],
  ["members named as numbers", wide(DEFAULTS.jsonMembersMax, (at) => String(at))],
  ["members named as numbers far apart", wide(DEFAULTS.jsonMembersMax, (at) => String((at * 7_919) % 393_000))],
  ["names in another script", wide(DEFAULTS.jsonMembersMax, (at) => `ключ${at}`)],
  ["escaped names", wide(DEFAULTS.jsonMembersMax, (at) => `\\u006b${at}`)],
  ["a twin at the end", wide(DEFAULTS.jsonMembersMax, (at) => `k${at % (DEFAULTS.jsonMembersMax - 1)}`)],
  ["objects of one shape", fill("[", (at) => `{"a":${at}}`, "]")],
  ["objects of new shapes", fill("[", (at) => `{"a${at}":1}`, "]")],
  ["objects of 2,000 members", fill("[", (at) => wide(2_000, (n) => `k${at}_${n}`), "]")],
  ["empty objects", fill("[", () => "{}", "]")],
  ["empty lists", fill("[", () => "[]", "]")],
  ["lists of one", fill("[", () => "[1]", "]")],
  ["lists of 65", fill("[", () => `[${"1,".repeat(64)}1]`, "]")],
  ["one long list", fill("[", () => "1", "]")],
  ["short strings", fill("[", (at) => `"${at % 10}"`, "]")],
  ["decimals", fill("[", (at) => `${at}.25`, "]")],
  ["numbers with exponents", fill("[", () => "1e5", "]")],
  ["numbers beyond doubles", fill("[", () => "9007199254740993", "]")],
  ["numbers of a thousand digits", fill("[", () => `1.${"3".repeat(1_000)}`, "]")],
  ["a number of a million", "1".repeat(MIB)],
  ["one long string", escapes("x", MIB)],
  ["one long string of escapes", escapes('\\"', MIB / 2)],
  ["one long string of pairs", escapes("\\ud83d\\ude00", MIB / 12)],
  ["one long string in another script", escapes("é", MIB / 2)],
  ["one long name of escapes", `{${escapes('\\"', MIB / 2)}:1}`],
  ["deep lists", fill("[", () => `${"[".repeat(60)}${"]".repeat(60)}`, "]")],
  ["deep objects", fill("[", () => `${'{"a":'.repeat(60)}1${"}".repeat(60)}`, "]")],
  ["blanks", `[${" ".repeat(MIB)}]`],
  ["words", fill("[", () => "null", "]")],
];

function wide(count: number, name: (at: number) => string): string {
  return `{${Array.from({ length: count }, (_, at) => `"${name(at)}":1`).join(",")}}`;
}

const [word = ""] = process.argv.slice(2);
for (const [kind, body] of KINDS) {
  if (!kind.includes(word)) continue;
  const bytes = Buffer.from(body);
  const turns = (): Turns => new Turns({ monotonicMs: () => performance.now() }, DEFAULTS.bodySliceMs);
  let outcome = "read";
  const { totalMs, stretchMs } = await leastStretches(async () => {
    const parsed = await parseJsonInTurns(bytes, turns());
    if (!parsed.ok) outcome = parsed.error;
  }, ROUNDS);
  console.log(
    `${kind.padEnd(40)} ${((totalMs * MIB) / bytes.length).toFixed(0).padStart(4)} ms per MiB, ` +
      `at a stretch ${stretchMs.toFixed(1)} ms; ${outcome}`,
  );
}

/**
 * Holds the search against a rule set: `npm run conform:search -- FOLDER`, the `rules` folder of a release of the OWASP Core
 * Rule Set. Texts are made from each pattern; V8 says which patterns match each of them. Says which patterns do not compile,
 * and ends with 1 where a match is lost, invented, or by an alphabet said to be impossible.
 */
import { existsSync } from "node:fs";
import { parseBytes } from "../../src/detection/search/pcre.ts";
import { Candidates, SearchBuilder, Work } from "../../src/detection/search/search.ts";
import { toSet } from "../../src/schema/pattern/char-set.ts";
import { atOnce } from "../../src/support/turns.ts";
import { DEBIAN_RULES, patternsOf, randomOf, textOf, wordListsOf } from "./rule-set-patterns.ts";

const TEXTS_PER_PATTERN = 12;

const folder = process.argv[2] ?? DEBIAN_RULES;
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected the rules of a release of the OWASP Core Rule Set`);
  process.exit(2);
}
const builder = new SearchBuilder();
const sources = new Map<number, string>();
for (const source of patternsOf(folder)) {
  const id = builder.rx(source);
  if (id.ok) sources.set(id.value, source);
  else console.log(`refused (${id.error.kind}): ${source.slice(0, 90)}\n  ${id.error.message}`);
}
for (const words of wordListsOf(folder)) builder.words(words);
const search = atOnce(builder.build());

/** The same pattern for V8, with the flags that it has as a whole; null where V8 reads it another way. */
function inV8(source: string): RegExp | null {
  const [, flags = "", body = source] =
    /^\(\?([is]+)\)([\s\S]*)$/.exec(source) ?? /^\(\?(i):([\s\S]*)\)$/.exec(source) ?? [];
  const plain = body.replace(/\\x\{([0-9a-f]{2})\}/gi, "\\x$1").replaceAll("\\z", "$");
  // V8 has other spaces, other vertical ones, and no classes with names; and it errs in groups with flags (V8 14).
  const spaces = plain
    .replace(/(\[(?:[^\]\\]|\\.)*?)\\s((?:[^\]\\]|\\.)*\])/g, "$1\\t-\\r $2")
    .replace(/\\s/g, "[\\t-\\r ]");
  if (/\\[vhASZQ]|\[:|\(\?[ims]+[:)]|\[[^\]]*\\s/.test(spaces)) return null;
  try {
    return new RegExp(spaces, flags.includes("i") ? "is" : "s");
  } catch {
    return null;
  }
}

const random = randomOf(20_261_129);
const candidates = new Candidates();
let [texts, matches, compared, faults] = [0, 0, 0, 0];
const fault = (what: string, source: string, text: string): void => {
  faults++;
  console.log(`${what}: ${source.slice(0, 90)}\n  ${JSON.stringify(text.slice(0, 200))}`);
};
for (const [id, source] of sources) {
  const parsed = parseBytes(source);
  if (!parsed.ok) continue;
  const other = inV8(source);
  for (let round = 0; round < TEXTS_PER_PATTERN; round++) {
    const made = textOf(parsed.value.tree, random);
    const text = round % 4 === 0 ? `x ${made} y` : round % 4 === 1 ? made.slice(0, -1) : made;
    texts++;
    search.candidates(text, candidates);
    const alphabet = toSet([...text].map((char) => [char.charCodeAt(0), char.charCodeAt(0)]));
    const none = round % 8 === 0 ? atOnce(search.impossible(alphabet, text.length)) : new Set();
    for (const [each, pattern] of sources) {
      if (!search.test(each, text, new Work(1e9))) continue;
      matches++;
      if (!candidates.has(each)) fault("the gate has lost it", pattern, text);
      if (none.has(each)) fault("it was said to be impossible", pattern, text);
    }
    if (other === null || text.length > 200) continue;
    compared++;
    if (other.test(text) !== search.test(id, text, new Work(1e9))) fault("V8 says otherwise", source, text);
  }
}
console.log(
  `${sources.size} patterns, ${texts} texts, ${matches} matches, ${compared} compared with V8, ${faults} faults`,
);
process.exitCode = faults > 0 ? 1 : 0;

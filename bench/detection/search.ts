import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Candidates, Search, SearchBuilder, Work } from "../../src/detection/search/search.ts";
import { mayChange, type Transform, transformOf, triggersOf } from "../../src/detection/transform/index.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";
import { DEBIAN_RULES, randomOf } from "../../test/detection/rule-set-patterns.ts";

/**
 * What it costs to search values for all patterns and word lists of a rule set that look at arguments at paranoia level 1:
 * `npm run bench:detection -- FOLDER`, the `rules` folder of a release of the OWASP Core Rule Set. Each value goes through the
 * transformations that can change it, then the gate, then the patterns that it lets through. CPU time of this process.
 */
const folder = process.argv[2] ?? DEBIAN_RULES;
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected the rules of a release of the OWASP Core Rule Set`);
  process.exit(2);
}

interface Pipeline {
  readonly names: readonly string[];
  readonly ids: Set<number>;
}

const builder = new SearchBuilder();
const pipelines = new Map<string, Pipeline>();
for (const file of readdirSync(folder).filter((name) => /^REQUEST-9.*\.conf$/.test(name))) {
  const text = readFileSync(join(folder, file), "latin1")
    .replace(/^\s*#.*$/gm, "")
    .replaceAll("\\\n", "");
  const rules = text.matchAll(/SecRule\s+(\S+)\s+"@(\w+) ((?:[^"\\]|\\.)*)"\s*"((?:[^"\\]|\\.)*)"/g);
  for (const [, variables = "", operator, argument = "", actions = ""] of rules) {
    if (!/(?:^|\|)ARGS(?:\||$)/.test(variables) || !actions.includes("paranoia-level/1'")) continue;
    const id = idOf(operator, argument.replaceAll('\\"', '"'));
    if (id === null) continue;
    const names = [...actions.matchAll(/\bt:(\w+)/g)].map(([, name = ""]) => name).filter((name) => name !== "none");
    const pipeline = pipelines.get(names.join()) ?? { names, ids: new Set() };
    pipelines.set(names.join(), pipeline);
    pipeline.ids.add(id);
  }
}

function idOf(operator: string | undefined, argument: string): number | null {
  if (operator === "pm") return builder.words(argument.split(" "));
  if (operator === "pmFromFile") {
    const lines = argument.split(" ").flatMap((name) => readFileSync(join(folder, name), "latin1").split("\n"));
    return builder.words(lines.filter((line) => line !== "" && !line.startsWith("#")));
  }
  const id = operator === "rx" ? builder.rx(argument) : null;
  return id?.ok ? id.value : null;
}

function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

let search: Search | undefined;
const buildMs = cpuMs(() => {
  search = atOnce(builder.build());
});
const stored = search?.toBuffer() ?? new Uint8Array();
const loadMs = cpuMs(() => {
  search = Search.fromBuffer(stored) ?? undefined;
});
if (search === undefined) throw new Error("the kept table is not the search that it was made of");
const all: Search = search;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(`${all.size} patterns and lists in ${pipelines.size} pipelines; table ${mib(stored.length)}`);
console.log(`made in ${buildMs.toFixed(0)} ms, loaded in ${loadMs.toFixed(0)} ms`);

interface Step {
  readonly transforms: readonly Transform[];
  readonly ids: Set<number>;
}

/** For each mask of triggers what is left of the pipelines: those that begin to change a text in the same way are one. */
const plans = new Map<number, readonly Step[]>();

function planOf(triggers: number): readonly Step[] {
  const known = plans.get(triggers);
  if (known !== undefined) return known;
  const steps = new Map<string, Step>();
  for (const { names, ids } of pipelines.values()) {
    const first = names.findIndex((name) => mayChange(name, triggers));
    const rest = first < 0 ? [] : names.slice(first);
    const transforms = rest.flatMap((name) => transformOf(name) ?? []);
    const step = steps.get(rest.join()) ?? { transforms, ids: new Set<number>() };
    steps.set(rest.join(), step);
    for (const id of ids) step.ids.add(id);
  }
  const plan = [...steps.values()];
  plans.set(triggers, plan);
  return plan;
}

const candidates = new Candidates();
const counted = { texts: 0, tests: 0, hits: 0, sliceMs: 0 };

function judge(value: string): void {
  const texts = new Map<string, Set<number>>();
  for (const { transforms, ids } of planOf(triggersOf(value))) {
    const text = transforms.reduce((before, transform) => transform(before), value);
    const others = texts.get(text);
    texts.set(text, others === undefined ? ids : new Set([...others, ...ids]));
  }
  const work = new Work(Number.POSITIVE_INFINITY);
  for (const [text, ids] of texts) {
    counted.texts++;
    all.candidates(text, candidates);
    for (const id of candidates.ids) {
      if (!ids.has(id)) continue;
      counted.tests++;
      if (test(id, text, work)) counted.hits++;
    }
  }
}

function test(id: number, text: string, work: Work): boolean {
  if (text.length < 4_096) return all.test(id, text, work);
  const steps = all.testInSteps(id, text, work);
  for (;;) {
    const before = process.cpuUsage();
    const step = steps.next();
    const { user } = process.cpuUsage(before);
    counted.sliceMs = Math.max(counted.sliceMs, user / 1_000);
    if (step.done === true) return step.value;
  }
}

const random = randomOf(7);
const pick = (list: string | readonly string[]): string => list[Math.floor(random() * list.length)] ?? "";
const many = (count: number, list: string | readonly string[], between = ""): string =>
  Array.from({ length: count }, () => pick(list)).join(between);
const hex = (count: number): string => many(count, "0123456789abcdef");
const WORDS =
  "please ring the bell at back door thank you order is ready time find it where all from test user name company street which more less make sort file open select group by value item price customer delivery invoice".split(
    " ",
  );
const SIGNS = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

const KINDS: Readonly<Record<string, () => string>> = {
  number: () => `${Math.floor(random() * 1e6)}`,
  word: () => pick(WORDS),
  uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  mail: () => `${pick(WORDS)}.${pick(WORDS)}${hex(2)}@${pick(WORDS)}.example.com`,
  url: () => `https://${pick(WORDS)}.example.com/${pick(WORDS)}/${hex(5)}?${pick(WORDS)}=${hex(6)}`,
  prose: () => `It ${many(8 + Math.floor(random() * 12), WORDS, " ")}${pick([".", "!", ", isn't it? Thanks."])}`,
  punctuation: () => many(40, `abcz019${SIGNS}`),
};

console.log("value         µs mean   texts   tests    hits");
for (const [name, make] of Object.entries(KINDS)) {
  const values = Array.from({ length: 6_000 }, make);
  for (const value of values.slice(0, 4_000)) judge(value);
  Object.assign(counted, { texts: 0, tests: 0, hits: 0 });
  const ms = cpuMs(() => values.slice(4_000).forEach(judge));
  const figures = [ms * 1_000, counted.texts, counted.tests, counted.hits].map((sum) =>
    (sum / 2_000).toFixed(2).padStart(7),
  );
  console.log(`${name.padEnd(12)} ${figures.join(" ")}`);
}

const BYTES = 64 * 1024;
const HOSTILE: Readonly<Record<string, string>> = {
  spaces: " ".repeat(BYTES),
  '(" ': '(" '.repeat(BYTES / 3),
  punctuation: many(BYTES, `ab1${SIGNS}`),
  letters: many(BYTES, "abcdefghijklmnopqrstuvwxyz "),
  "shell words": many(BYTES / 8, ["l$'s ", 'c\\at"', ";id&& ", "$(", "| sh "]),
};
console.log(`${BYTES / 1024} KiB        ms first  again  longest slice`);
for (const [name, text] of Object.entries(HOSTILE)) {
  counted.sliceMs = 0;
  const first = cpuMs(() => judge(text));
  const again = cpuMs(() => judge(text));
  const figures = [first, again, counted.sliceMs].map((ms) => ms.toFixed(1).padStart(6));
  console.log(`${name.padEnd(12)} ${figures.join("  ")}`);
}
console.log(`tables of states: ${mib(4 * all.cells)} of at most ${mib(4 * DEFAULTS.searchCellsMax)}`);

// Goal: rules are compiled once, whatever starts after; nobody's request is judged by less than all of them meanwhile. Method: a policy
// with rules of our own is compiled as by a process that starts, again and again over the same state folder in memory.
import { hash } from "node:crypto";
import { expect, test, vi } from "vitest";
import { NO_BODY } from "../../src/detection/facts.ts";
import { SearchBuilder } from "../../src/detection/search/search.ts";
import { encodeRules } from "../../src/filters/detect/kept-rules.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../../src/policy/compile.ts";
import type { Snapshot } from "../../src/policy/snapshot.ts";
import { systemClock } from "../../src/support/clock.ts";
import { atOnce } from "../../src/support/turns.ts";
import { compiled, named, PLENTY, requestOf } from "../detection/own-rules.ts";
import { MemoryFiles, testResources } from "../fixtures/outside.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { policyWith, readerOf } from "../policy/policy-kit.ts";

const ACTIONS = "block,log,t:none,tag:paranoia-level/1,setvar:tx.inbound_anomaly_score_pl1=+5";
const RULES = [
  `SecRule ARGS "@rx (?i)union\\s+select" "id:1,phase:2,${ACTIONS},capture,t:urlDecodeUni,msg:'%{TX.0}'"`,
  `SecRule ARGS|!ARGS:/^free/ "@pmFromFile words.data" "id:2,phase:2,${ACTIONS}"`,
  `SecRule REQUEST_METHOD "@streq DELETE" "id:3,phase:1,${ACTIONS},msg:'Method',chain"`,
  `  SecRule REQUEST_METHOD "!@eq 1" "t:none"`,
  `SecRule ARGS:free "@rx ." "id:4,phase:1,pass,nolog,t:none,ctl:ruleRemoveTargetById=1;ARGS:free"`,
  `SecRule ARGS "@rx (a)\\1" "id:5,phase:2,${ACTIONS}"`,
].join("\n");
const POLICY = policyWith(`
state: { directory: /state }
detectors: { crs: { rules: [rules] } }
routes: [{ path: /a, methods: [GET, DELETE], public: true, detect: [crs] }]`);

interface Started {
  readonly snapshot: Snapshot;
  readonly notes: string[];
  readonly told: string[];
  stop(): void;
}

async function started(files: MemoryFiles, rules = RULES): Promise<Started> {
  const notes: string[] = [];
  const told: string[] = [];
  const resources = testResources({ files });
  resources.reportTo({
    onState: () => {},
    onNote: (_, text) => notes.push(text),
    onFolder: (_directory, _file, text) => told.push(text),
  });
  const readFile = readerOf(POLICY, { "rules/own.conf": rules, "rules/words.data": "passwd\nshadow\n" });
  const world = { cwd: "/srv", clock: systemClock, rateTables: new RateTables([1, 2], systemClock, 64) };
  const { snapshot, problems } = await examinePolicy("conf/policy.yaml", { ...world, readFile, resources });
  if (snapshot === null) throw new Error(JSON.stringify(problems));
  resources.follow(snapshot);
  return { snapshot, notes, told, stop: () => resources.close() };
}

function hitsOf({ snapshot }: Started, args: readonly (readonly [string, string])[], method = "GET"): string[] {
  const rules = snapshot.detectors[0]?.rules.forRoute({ exclusions: [], constraints: [] });
  const transaction = rules?.begin(requestOf({ args, method }), PLENTY);
  if (transaction === undefined) throw new Error("no detector");
  atOnce(transaction.head());
  atOnce(transaction.body(NO_BODY));
  return transaction.hits.map(({ id, message, target, place }) => `${id} ${message} ${target} ${place.line}`);
}

const ASKED = [
  [[["q", "1 UNION%20SELECT 2"]], "GET"],
  [[["q", "/etc/passwd"]], "GET"],
  [[["freely", "/etc/passwd"]], "GET"],
  [[["free", "union select"]], "GET"],
  [[], "DELETE"],
] as const;

const settled = (files: MemoryFiles): Promise<void> =>
  vi.waitFor(() => expect(files.contents.size).toBe(1), { timeout: PATIENCE_MS });

test("a start over the folder of an earlier one compiles nothing, and judges the same", async () => {
  const files = new MemoryFiles();
  const first = await started(files);
  await settled(files);
  const read = vi.spyOn(SearchBuilder.prototype, "rx");
  const second = await started(files);
  expect(read).not.toHaveBeenCalled();
  read.mockRestore();
  for (const [args, method] of ASKED) expect(hitsOf(second, args, method)).toEqual(hitsOf(first, args, method));
  expect(ASKED.flatMap(([args, method]) => hitsOf(second, args, method))).toEqual([
    "1 UNION SELECT ARGS:q 1",
    "2  ARGS:q 2",
    "3 Method REQUEST_METHOD 3",
  ]);
  expect([...first.told, ...second.told]).toEqual([]);
  first.stop();
  second.stop();
});

test("a start over the folder tells again of own rules that do nothing", async () => {
  const files = new MemoryFiles();
  const lacking = `${RULES}\nSecRule ARGS "@rbl dns.example" "id:7,phase:2,${ACTIONS}"`;
  const first = await started(files, lacking);
  await settled(files);
  first.stop();
  const second = await started(files, lacking);
  const told = ({ snapshot }: Started) => snapshot.warnings.filter(({ rule }) => rule === "rule_not_done");
  expect(told(second).map(({ text }) => text)).toContainEqual(expect.stringContaining("rule 7 does not run"));
  expect(told(second)).toEqual(told(first));
  second.stop();
});

test("other rules are compiled, and take the place of those in the folder", async () => {
  const files = new MemoryFiles();
  const first = await started(files);
  const other = `${RULES}\nSecRule ARGS "@rx sleep" "id:9,phase:2,${ACTIONS}"`;
  await settled(files);
  first.stop();
  const [before] = files.contents.values();
  const second = await started(files, other);
  expect(hitsOf(second, [["q", "sleep"]])).toEqual(["9  ARGS:q 7"]);
  await vi.waitFor(() => expect([...files.contents.values()][0]?.equals(before as Buffer)).toBe(false), {
    timeout: PATIENCE_MS,
  });
  expect(files.contents.size).toBe(1);
  expect(second.told).toEqual([]);
  second.stop();
});

test("a file that is damaged is a warning, set aside, and begun anew", async () => {
  const files = new MemoryFiles();
  const first = await started(files);
  await settled(files);
  first.stop();
  const [[name = "", content = Buffer.alloc(0)] = []] = files.contents;
  const headEnd = content.indexOf("\n") + 1;
  const broken = Buffer.from(content);
  broken.writeUInt8((broken.at(-9) ?? 0) ^ 1, broken.length - 9);
  const cut = content.subarray(headEnd, content.length - 40);
  const head = (body: Buffer): Buffer => Buffer.from(`postern-state rules 2 ${hash("sha256", body)}\n`);
  for (const damaged of [broken, content.subarray(0, 99), Buffer.concat([head(cut), cut]), Buffer.from("{}")]) {
    files.contents.set(name, damaged);
    files.aside.length = 0;
    const next = await started(files);
    expect(files.aside).toEqual([name]);
    expect(next.told).toHaveLength(1);
    expect(hitsOf(next, [["q", "union select"]])).toHaveLength(1);
    await settled(files);
    next.stop();
  }
});

test("what rules have against a route is told once it is known, as nobody waits for it", async () => {
  const { notes, snapshot, stop } = await started(new MemoryFiles());
  await vi.waitFor(() => expect(notes).toHaveLength(1), { timeout: PATIENCE_MS });
  expect(notes[0]).toContain("rule 3 of 'crs' has something against each 'DELETE'");
  expect(snapshot.warnings.filter(({ text }) => text.includes("rule 3"))).toEqual([]);
  stop();
});

test("requests that come before the search is made wait for it, all of them, and are judged in full", () => {
  const words = Array.from({ length: 4_000 }, (_, at) => `w${(at * 7919).toString(36)}x`).join("|");
  const { rules } = compiled(`SecRule ARGS "@rx ${words}|evil" "id:1,phase:2,pass,log,t:none"`);
  const route = rules.forRoute({ exclusions: [], constraints: [] });
  const waiting = Array.from({ length: 3 }, () => {
    const transaction = route.begin({ ...requestOf({}), argsGet: named([["q", "evil"]]) }, PLENTY);
    return { transaction, steps: transaction.body(NO_BODY) };
  });
  const turns = [0, 0, 0];
  const open = new Set([0, 1, 2]);
  while (open.size > 0)
    for (const at of open) {
      if (waiting[at]?.steps.next().done === true) open.delete(at);
      else turns[at] = (turns[at] ?? 0) + 1;
    }
  for (const { transaction } of waiting) expect(transaction.hits.map(({ id }) => id)).toEqual([1]);
  // 4,000 options, 32 a step, and their literals, 256 a step.
  expect(turns.reduce((sum, each) => sum + each)).toBeGreaterThan(4_000 / 32 + 4_000 / 256);
});

test("what files of rules become is the same as when the version of the kept form was last changed", () => {
  const { source } = compiled(RULES, {}, { "words.data": "passwd\nshadow\n" });
  const builder = new SearchBuilder();
  builder.rx("(?i)union\\s+select|b{2,3}");
  builder.words(["passwd", "shadow"]);
  const bytes = atOnce(encodeRules({ digest: "", source, lacking: [] }, atOnce(builder.build()).toBuffer()));
  expect(hash("sha256", bytes).slice(0, 16), "a new KEPT_RULES.version goes with another of these").toBe(
    "950e87b430168cb7",
  );
});

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AlarmReport, mendOf } from "../../src/cli/alarm-report.ts";
import type { ParanoiaLevel } from "../../src/detection/rules/compile-rules.ts";
import type { RuleSet } from "../../src/detection/rules/rule-set.ts";
import { detectFilter } from "../../src/filters/detect/compile.ts";
import { exclusionsOf } from "../../src/filters/detect/exclusions.ts";
import type { Check, Detector, RouteContext } from "../../src/filters/filter.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { createRouteContext } from "../fixtures/route-context.ts";
import {
  compiledValidate,
  type DescribedOperation,
  type DescribedRequest,
  documentNames,
  exchangeOf,
  operationsOf,
  type Part,
  requestOf,
} from "../policy/openapi/described-requests.ts";
import { grown } from "./alarms/grown.ts";
import { PEOPLE_TEXTS } from "./alarms/people-texts.ts";
import { compileRelease, RELEASE_RULES } from "./release.ts";

/**
 * `npm run conform:alarms -- FOLDER`: false alarms. FOLDER has the `rules` of a release of the OWASP Core Rule Set; as Debian installs
 * it where it is absent. Every operation of @readme/oas-examples is asked once for each text of a list, all of them what people write,
 * in every place whose schema takes it, and so is a shop whose description says of each value what it is, with values as clients send
 * them; what rules refuse is counted, without the contract and where `validate` holds it before.
 * `--verbose` names the rules and values. Ends with 1 where the contract makes more alarms than there are without.
 */
const isVerbose = process.argv.includes("--verbose");
const folder = process.argv.slice(2).find((word) => !word.startsWith("--")) ?? RELEASE_RULES;
if (!existsSync(folder)) {
  console.error(`there is no folder '${folder}'; expected the rules of a release of the OWASP Core Rule Set`);
  process.exit(2);
}

const HEADERS = [
  ["host", "api.example.org"],
  ["user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"],
  ["accept", "application/json"],
] as const;

const TURNS_MAX = 60;

interface Tally {
  requests: number;
  /** Requests that were made and that the contract itself refuses. */
  unfit: number;
  without: number;
  within: number;
  /** With the contract and what `postern alarms` proposes of these requests. */
  mended: number;
}

/** Documents, and what is sent where a text is open. */
interface Traffic {
  readonly name: string;
  readonly documents: readonly string[];
  /** Ordinary values of members and parameters by their name; of all others a people's text. */
  readonly examples: ReadonlyMap<string, readonly unknown[]>;
}

const SHOP = resolve(import.meta.dirname, "alarms/shop.yaml");
const TRAFFICS: readonly Traffic[] = [
  { name: "texts are open", documents: documentNames, examples: new Map() },
  { name: "each value is described", documents: [SHOP], examples: examplesOf(SHOP) },
];

await validateFilter.prepare?.();
for (const traffic of TRAFFICS) {
  for (const paranoia of [1, 2, 3] as const) {
    const { requests, unfit, without, within, mended } = await runAll(paranoia, traffic);
    const share = (count: number): string => `${count} (${((count / requests) * 100).toFixed(2)} %)`;
    console.log(
      `${traffic.name}, paranoia ${paranoia}: ${requests} requests; refused without the contract ${share(without)}, with it ${share(within)}, with what 'postern alarms' proposes ${share(mended)}; ${unfit} fit no contract`,
    );
    if (within > without) process.exitCode = 1;
  }
}

async function runAll(paranoia: ParanoiaLevel, { documents, examples }: Traffic): Promise<Tally> {
  const { rules, problems } = compileRelease(paranoia, folder);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  // What a contract closes is known once the patterns are there.
  atOnce(rules.prepare());
  const tally: Tally = { requests: 0, unfit: 0, without: 0, within: 0, mended: 0 };
  for (const name of documents) {
    for (const operation of operationsOf(name)) await run(operation, rules, examples, tally);
  }
  return tally;
}

async function run(
  operation: DescribedOperation,
  rules: RuleSet,
  examples: Traffic["examples"],
  tally: Tally,
): Promise<void> {
  if (operation.parts === null) return;
  const { context, check } = compiledValidate(operation);
  const within = detecting(rules, context.promises, operation.template);
  const without = detecting(rules, [], operation.template);
  const checks = check === null ? [] : [check];
  const report = new AlarmReport();
  const alarmed: DescribedRequest[] = [];
  for (const [turn, text] of PEOPLE_TEXTS.entries()) {
    const values = new Map(operation.parts.map((part) => [part, filled(part, text, turn, examples)]));
    const request = requestOf(operation, (part) => values.get(part));
    // A text with a space in a list that spaces delimit is two texts.
    if ((await judged(checks, request)).told !== null) {
      tally.unfit++;
      continue;
    }
    const alarm = await judged([without], request);
    const rest = await judged([...checks, within], request);
    tally.requests++;
    if (alarm.told !== null) tally.without++;
    if (rest.told !== null) {
      tally.within++;
      alarmed.push(request);
    }
    report.add({ route: operation.template, client: `${turn}`, detected: rest.detected });
    if (isVerbose && alarm.told !== null)
      console.log(
        `${operation.title}, ${JSON.stringify(text)}: ${alarm.told}${rest.told === null ? " (not with it)" : `; with it ${rest.told}`}`,
      );
  }
  tally.mended += await leftWithProposals(operation, rules, context.promises, checks, { report, alarmed });
}

/** Requests that are still refused with what `postern alarms` proposes. The log names few hits of a request, so that it is asked again. */
async function leftWithProposals(
  { template }: DescribedOperation,
  rules: RuleSet,
  promises: RouteContext["promises"],
  checks: readonly Check[],
  seen: { readonly report: AlarmReport; readonly alarmed: readonly DescribedRequest[] },
): Promise<number> {
  const { report } = seen;
  let { alarmed } = seen;
  for (let turn = 0; turn < TURNS_MAX && alarmed.length > 0; turn++) {
    const proposals = report.fields().map((field) => {
      const { rules: ids, fields, because } = mendOf(field, undefined).exclude;
      return { rules: [...ids], because, ...(fields === undefined ? {} : { fields: [...fields] }) };
    });
    const problem = (told: string): never => {
      throw new Error(told);
    };
    const check = detecting(rules, promises, template, exclusionsOf(proposals, problem));
    const left: DescribedRequest[] = [];
    for (const [at, request] of alarmed.entries()) {
      const { told, detected } = await judged([...checks, check], request);
      report.add({ route: template, client: `${at}`, detected });
      if (told !== null) left.push(request);
    }
    alarmed = left;
  }
  return alarmed.length;
}

/** A value with the text wherever it fits; the example where none such can be written. */
function filled(
  { name, compiled, example, canWrite }: Part,
  text: string,
  turn: number,
  examples: Traffic["examples"],
): unknown {
  const value = grown([compiled.root], text, { turn, examples, name: name.split(" ").at(-1) ?? "" });
  return compiled.validator.judge(value) === null && canWrite(value) ? value : example;
}

/** `examples` of the schemas of a document's components, by the schema's name and by those of the members that refer to it. */
function examplesOf(file: string): Map<string, readonly unknown[]> {
  const text = readFileSync(file, "utf8");
  const examples = new Map<string, readonly unknown[]>();
  for (const [, name = "", list = "[]"] of text.matchAll(/^ {4}(\w+): \{.*examples: (\[.*\]) \}$/gm))
    examples.set(name, JSON.parse(list) as unknown[]);
  const use = /(?:name: (\w+), in: \w+.*|^ +(\w+): \{ )\$ref: "#\/components\/schemas\/(\w+)"/gm;
  for (const [, parameter, member, schema = ""] of text.matchAll(use))
    examples.set(parameter ?? member ?? "", examples.get(schema) ?? []);
  return examples;
}

function detecting(
  rules: RuleSet,
  promises: RouteContext["promises"],
  template: string,
  exclusions: Detector["exclusions"] = [],
): Check {
  const { context, compiled } = createRouteContext({ key: "detect", template });
  const detector: Detector = {
    name: "crs",
    place: context.place(),
    settings: { rules: [folder] },
    rules,
    keeper: { later: () => {}, tell: () => {} },
    exclusions,
    listing: [],
    notDone: [],
    probes: new Map(),
  };
  const detectors = new Map([["crs", detector]]);
  atOnce(stepsOf(detectFilter.compile(["crs"], { ...context, promises, detectors })));
  const [check] = compiled.checks;
  if (check === undefined) throw new Error("'detect' made no check");
  return check;
}

interface Judged {
  /** What the first check says that refuses; null where all let it pass. */
  readonly told: string | null;
  /** As the log has it. */
  readonly detected: { readonly hits: readonly object[] };
}

async function judged(checks: readonly Check[], request: DescribedRequest): Promise<Judged> {
  const method = request.body === null ? "GET" : "POST";
  const length: readonly (readonly [string, string])[] =
    request.body === null ? [] : [["content-length", String(Buffer.byteLength(request.body))]];
  const exchange = exchangeOf(request, { method, headers: [...HEADERS, ...length] });
  let told: string | null = null;
  for (const check of checks) {
    const verdict = await check.evaluate(exchange);
    if (verdict === null) continue;
    told = `${verdict.reason}: ${verdict.seen}`;
    break;
  }
  const hits = (exchange.detected?.first ?? []).map(({ way, id, ...hit }) => ({ ...hit, in: way, rule: id }));
  return { told, detected: { hits } };
}

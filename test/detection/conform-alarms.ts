import { existsSync } from "node:fs";
import type { ParanoiaLevel } from "../../src/detection/rules/compile-rules.ts";
import type { RuleSet } from "../../src/detection/rules/rule-set.ts";
import { detectFilter } from "../../src/filters/detect/compile.ts";
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
 * in every place whose schema takes it; what rules refuse is counted, without the contract and where `validate` holds it before.
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

interface Tally {
  requests: number;
  /** Requests that were made and that the contract itself refuses. */
  unfit: number;
  without: number;
  within: number;
}

await validateFilter.prepare?.();
for (const paranoia of [1, 2] as const) {
  const { requests, unfit, without, within } = await runAll(paranoia);
  const share = (count: number): string => `${count} (${((count / requests) * 100).toFixed(2)} %)`;
  console.log(
    `paranoia ${paranoia}: ${requests} requests; refused without the contract ${share(without)}, with it ${share(within)}; ${unfit} fit no contract`,
  );
  if (within > without) process.exitCode = 1;
}

async function runAll(paranoia: ParanoiaLevel): Promise<Tally> {
  const { rules, problems } = compileRelease(paranoia, folder);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("; "));
  const tally: Tally = { requests: 0, unfit: 0, without: 0, within: 0 };
  for (const name of documentNames) {
    for (const operation of operationsOf(name)) await run(operation, rules, tally);
  }
  return tally;
}

async function run(operation: DescribedOperation, rules: RuleSet, tally: Tally): Promise<void> {
  if (operation.parts === null) return;
  const { context, check } = compiledValidate(operation);
  const within = detecting(rules, context.promises, operation.template);
  const without = detecting(rules, [], operation.template);
  for (const text of PEOPLE_TEXTS) {
    const values = new Map(operation.parts.map((part) => [part, filled(part, text)]));
    const request = requestOf(operation, (part) => values.get(part));
    const checks = check === null ? [] : [check];
    // A text with a space in a list that spaces delimit is two texts.
    if ((await judged(checks, request)) !== null) {
      tally.unfit++;
      continue;
    }
    const alarm = await judged([without], request);
    const rest = await judged([...checks, within], request);
    tally.requests++;
    if (alarm !== null) tally.without++;
    if (rest !== null) tally.within++;
    if (isVerbose && alarm !== null)
      console.log(`${operation.title}, ${JSON.stringify(text)}: ${alarm}${rest === null ? " (not with it)" : ""}`);
  }
}

/** A value with the text wherever it fits; the example where none such can be written. */
function filled({ compiled, example, canWrite }: Part, text: string): unknown {
  const value = grown([compiled.root], text);
  return compiled.validator.judge(value) === null && canWrite(value) ? value : example;
}

function detecting(rules: RuleSet, promises: RouteContext["promises"], template: string): Check {
  const { context, compiled } = createRouteContext({ key: "detect", template });
  const detector: Detector = {
    name: "crs",
    place: context.place(),
    settings: { rules: [folder] },
    rules,
    keeper: { later: () => {}, tell: () => {} },
    exclusions: [],
    listing: [],
    probes: new Map(),
  };
  const detectors = new Map([["crs", detector]]);
  atOnce(stepsOf(detectFilter.compile(["crs"], { ...context, promises, detectors })));
  const [check] = compiled.checks;
  if (check === undefined) throw new Error("'detect' made no check");
  return check;
}

/** What the first check says that refuses; null where all let it pass. */
async function judged(checks: readonly Check[], request: DescribedRequest): Promise<string | null> {
  const method = request.body === null ? "GET" : "POST";
  const length: readonly (readonly [string, string])[] =
    request.body === null ? [] : [["content-length", String(Buffer.byteLength(request.body))]];
  const exchange = exchangeOf(request, { method, headers: [...HEADERS, ...length] });
  for (const check of checks) {
    const verdict = await check.evaluate(exchange);
    if (verdict !== null) return `${verdict.reason}: ${verdict.seen}`;
  }
  return null;
}

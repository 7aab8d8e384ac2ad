import { templateOf } from "../inventory/segment-kind.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { CurrentRoute } from "./current-routes.ts";
import type { RouteEvidence } from "./learner.ts";
import type { OperationEvidence } from "./operation-evidence.ts";
import type { ParameterEvidence } from "./parameter-evidence.ts";
import type { Thresholds } from "./support.ts";

/** An operation as a route of a policy can name it. */
export interface Operation {
  readonly route: CurrentRoute;
  readonly template: string;
  /** Parameters of the template of which something is known. */
  readonly parameters: readonly (readonly [name: string, evidence: ParameterEvidence])[];
  readonly evidence: OperationEvidence;
}

/**
 * What was seen of a route, as operations: one for each place that routes tell apart, which know no kinds of parameters, and GET
 * with what HEAD showed, for both are one route.
 */
export function operationsOf({ route, operations, tree }: RouteEvidence, thresholds: Thresholds): readonly Operation[] {
  if (route.prefix === null) {
    return withHead([...operations.values()].map((evidence) => placed(route, evidence)));
  }
  const { prefix } = route;
  tree.foldNames({
    areMany: (names) => byOthers(names, thresholds) >= DEFAULTS.inventoryNamesMax,
    isFew: ({ support }) => support.sources.size < Math.max(thresholds.callers, 2),
    areAlike: (names) =>
      names.length >= DEFAULTS.learnAlikeMin &&
      byOthers(names, thresholds) > Math.max(0, DEFAULTS.learnAlikeMin - thresholds.callers),
  });
  const places = new Map<string, { steps: readonly string[]; evidence: OperationEvidence }>();
  for (const [steps, evidence] of [...tree.all()].toSorted(([a], [b]) => (a.join("/") < b.join("/") ? -1 : 1))) {
    const key = `${evidence.method} ${steps.map((step) => (isValue(step) ? "{}" : step)).join("/")}`;
    const known = places.get(key);
    if (known === undefined) places.set(key, { steps, evidence });
    else {
      known.evidence.join(evidence);
      places.set(key, {
        steps: steps.map((step, at) => (known.steps[at] === step ? step : VALUE)),
        evidence: known.evidence,
      });
    }
  }
  return withHead([...places.values()].map(({ steps, evidence }) => learnt(route, prefix, steps, evidence)));
}

/**
 * How many of these names are there also without the callers that have most of them, as many as are too few for a rule. One caller
 * who makes up names must not make values of the names of others: the rule would let in what nobody has asked for.
 */
function byOthers(names: readonly (readonly OperationEvidence[])[], { callers }: Thresholds): number {
  const behind = names.map((uses) => new Set(uses.flatMap(({ support }) => [...support.sources])));
  const counts = new Map<number, number>();
  for (const sources of behind) for (const source of sources) counts.set(source, (counts.get(source) ?? 0) + 1);
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, callers - 1);
  const loudest = new Set(most.map(([source]) => source));
  return behind.filter((sources) => !sources.isSubsetOf(loudest)).length;
}

const VALUE = "{value}";
const REST = "{rest}";

function isValue(step: string): boolean {
  return step.startsWith("{") && step !== REST;
}

function placed(route: CurrentRoute, evidence: OperationEvidence): Operation {
  const parameters = route.parameters.flatMap(([name], at) => {
    const step = evidence.steps[at];
    return step === undefined ? [] : [[name, step] as const];
  });
  return { route, template: route.template, parameters, evidence };
}

function learnt(route: CurrentRoute, prefix: string, steps: readonly string[], evidence: OperationEvidence): Operation {
  const hasRest = steps.at(-1) === REST;
  const known = hasRest ? steps.slice(0, -1) : steps;
  const template = templateOf(prefix, known);
  const names = template.slice(prefix.length).split("/").slice(1);
  const parameters = known.flatMap((step, at) => {
    const found = evidence.steps[at];
    return isValue(step) && found !== undefined ? [[(names[at] ?? "").slice(1, -1), found] as const] : [];
  });
  return { route, template: hasRest ? `${template}/**` : template, parameters, evidence };
}

/** Where no route names HEAD, it is GET. */
function withHead(operations: readonly Operation[]): readonly Operation[] {
  const gets = new Map(
    operations.filter(({ evidence }) => evidence.method === "GET").map((one) => [one.template, one]),
  );
  return operations.filter(({ evidence, template }) => {
    const get = evidence.method === "HEAD" ? gets.get(template) : undefined;
    get?.evidence.join(evidence);
    return get === undefined;
  });
}

import { attributeName, bindAttribute } from "../../attributes/attribute.ts";
import { roleList } from "../../attributes/principal-facts.ts";
import type { Read } from "../../attributes/types.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { phaseOf } from "../../limits/key-parts.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { Check, Limit, Plan, RouteContext } from "../filter.ts";
import { routeFault } from "../limit-port.ts";
import { noteNeeds } from "./needs.ts";
import type { PlanChoice } from "./plan-schema.ts";

/** A caller's plan: one of the policy's, no limits at all, or none so that the request is denied. */
type Chosen = Plan | "unlimited" | "deny";

/**
 * Which plan a caller has: the first of these that says something. What the policy says of the one caller (`overrides`,
 * `exempt`), its entry in a file, the attribute, its roles, the default.
 */
export class PlanChooser {
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #callers: ReadonlyMap<string, Chosen>;
  readonly #from: Read | null;
  readonly #roles: readonly (readonly [role: string, plan: Chosen])[];
  readonly #default: Chosen;

  constructor(
    plans: ReadonlyMap<string, Plan>,
    callers: ReadonlyMap<string, Chosen>,
    from: Read | null,
    roles: readonly (readonly [role: string, plan: Chosen])[],
    usual: Chosen,
  ) {
    this.#plans = plans;
    this.#callers = callers;
    this.#from = from;
    this.#roles = roles;
    this.#default = usual;
  }

  of(exchange: Exchange): Chosen {
    const { principal } = exchange;
    if (principal !== null) {
      const own = this.#callers.get(principal.key);
      if (own !== undefined) return own;
      const filed = principal.plan === undefined ? undefined : this.#plans.get(principal.plan);
      if (filed !== undefined) return filed;
    }
    const named = this.#from?.(exchange);
    const claimed = typeof named === "string" ? this.#plans.get(named) : undefined;
    if (claimed !== undefined) return claimed;
    if (principal !== null && this.#roles.length > 0) {
      const has = roleList(principal);
      for (const [role, plan] of this.#roles) if (has?.includes(role) === true) return plan;
    }
    return this.#default;
  }
}

/** `{ plan: … }` of a route's limits → its checks; problems are reported. */
export function addPlan(choice: PlanChoice, path: readonly (string | number)[], context: RouteContext): void {
  const chooser = chooserOf(choice, path, context);
  if (chooser === null) return;
  const { template, plans } = context;
  const place = context.place(...path);
  if (choice.default === "deny") context.addCheck(withoutPlan(chooser, place, choice.mode ?? 100));
  const limits = new Set([...plans.values()].flatMap((plan) => plan.limits));
  for (const limit of limits) {
    const fault = routeFault(limit, template);
    // With each route it is compiled again.
    if (fault !== null && template === "defaults") continue;
    if (fault !== null) context.problem(`'${limit.name}' of a plan cannot count here: ${fault.text}`, ...path);
    else {
      noteNeeds(limit, context);
      context.addCheck(planCheck(limit, chooser, template, place));
    }
  }
}

/** One limit of plans: it is asked where the caller's plan has it. */
function planCheck(limit: Limit, chooser: PlanChooser, template: string, place: Place): Check {
  const plan = (exchange: Exchange): Plan | null => {
    const chosen = chooser.of(exchange);
    return typeof chosen === "object" && chosen.limits.includes(limit) ? chosen : null;
  };
  return {
    name: "limit",
    phase: "limit",
    place,
    enforcePercent: limit.enforcePercent,
    once: true,
    ...(limit.looksBackMs === undefined ? {} : { looksBackMs: limit.looksBackMs }),
    share: (exchange) => limit.key?.share(exchange, template) ?? null,
    evaluate: (exchange) => {
      const chosen = plan(exchange);
      return chosen === null ? CONTINUE : limit.evaluate(exchange, template, chosen.limits);
    },
    explain: (exchange) => {
      const chosen = plan(exchange);
      if (chosen !== null) return `plan ${chosen.name}: ${limit.explain(exchange, template)}`;
      const own = chooser.of(exchange);
      const hasOther = typeof own === "object" && own.limits.some(({ name }) => name === limit.name);
      return hasOther
        ? `'${limit.name}' as another plan has it, which is not the caller's`
        : `'${limit.name}' is not in the caller's plan`;
    },
  };
}

/** Denies who has no plan. */
function withoutPlan(chooser: PlanChooser, place: Place, enforcePercent: number): Check {
  return {
    name: "limit",
    phase: "limit",
    place,
    enforcePercent,
    once: true,
    evaluate: (exchange): Verdict =>
      chooser.of(exchange) === "deny"
        ? new Denial("plan_missing", place, "nothing names the caller's plan", "a caller who has a plan")
        : CONTINUE,
    explain: (exchange) => {
      const chosen = chooser.of(exchange);
      return typeof chosen === "string" ? `no plan (${chosen})` : `plan ${chosen.name}`;
    },
  };
}

function chooserOf(choice: PlanChoice, path: readonly (string | number)[], context: RouteContext): PlanChooser | null {
  let isSound = true;
  const { plans } = context;
  const planOf = (name: string, ...at: readonly (string | number)[]): Chosen => {
    const plan = plans.get(name);
    if (plan !== undefined) return plan;
    isSound = false;
    if (!context.isDefined("plans", name)) {
      context.problem(`no plan '${name}' is defined; ${context.hint("plans", name)}`, ...path, ...at);
    }
    return "deny";
  };
  const from = choice.from === undefined ? null : readFrom(choice.from, path, context);
  const roles = Object.entries(choice.roles ?? {}).map(([role, name]) => [role, planOf(name, "roles", role)] as const);
  const callers = new Map<string, Chosen>();
  for (const key of choice.exempt ?? []) callers.set(key, "unlimited");
  for (const [key, name] of Object.entries(choice.overrides ?? {})) callers.set(key, planOf(name, "overrides", key));
  const { default: usual } = choice;
  const other = usual === "unlimited" || usual === "deny" ? usual : planOf(usual, "default");
  // Any of them may be somebody's: none of them is unused.
  const all = new Map(
    [...plans.keys()].flatMap((name) => {
      const plan = plans.get(name);
      return plan === undefined ? [] : [[name, plan] as const];
    }),
  );
  return isSound && from !== undefined ? new PlanChooser(all, callers, from, roles, other) : null;
}

/** Undefined with a problem. */
function readFrom(from: string, path: readonly (string | number)[], context: RouteContext): Read | undefined {
  const at = [...path, "from"];
  const name = attributeName(from);
  if (!name.ok) {
    context.problem(name.error, ...at);
    return undefined;
  }
  const { row, text } = name.value;
  if (phaseOf(row.from) === null) {
    context.problem(`'${text}' is not known yet where limits are asked; expected another attribute`, ...at);
    return undefined;
  }
  if (CHOSEN_BY_CLIENTS.has(row.name)) {
    context.warning(
      "plan_chosen_by_client",
      `a client can choose '${text}', and with it its plan; expected what somebody else vouches for, as jwt.plan`,
      ...at,
    );
  }
  const bound = bindAttribute(name.value, {
    phase: "limit",
    parameters: null,
    route: context.template,
    clock: context.clock,
  });
  if (bound.ok) return bound.value.read;
  context.problem(bound.error, ...at);
  return undefined;
}

const CHOSEN_BY_CLIENTS: ReadonlySet<string> = new Set([
  "request.method",
  "request.path",
  "request.host",
  "request.headers",
  "request.cookies",
  "query",
]);

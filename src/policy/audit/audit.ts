import { LINT_RULES, type LintRule, type Severity } from "../../decision/lint-rule.ts";
import type { Place } from "../../decision/verdict.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Examination } from "../compile.ts";
import type { Route, Warning } from "../snapshot.ts";
import type { Audited } from "./audited.ts";
import { AUDIT_ITEMS, type AuditItem, ITEM_OF_RULE } from "./items.ts";
import { type Cover, lookAt, routeLabel, type Share } from "./look.ts";

/** What is open, and whose it is. */
export interface OpenPoint {
  readonly rule: LintRule;
  readonly severity: Severity;
  readonly place: Place;
  readonly text: string;
  readonly mend: string;
  /** Methods and template of the route that it is about, and where in it; else where it stands in the policy. */
  readonly subject: string;
}

/** What the policy's author has accepted by a comment. */
export interface Accepted extends OpenPoint {
  readonly because: string;
}

/** One item, and how the policy stands. */
export interface AuditedItem extends AuditItem {
  /** `covered`: nothing is open; `accepted`: nothing but what was accepted; `open`: nothing covers it. */
  readonly coverage: "covered" | "accepted" | "partly" | "open";
  /** Null where no route is concerned. */
  readonly routes: Share | null;
  readonly covers: readonly Cover[];
  readonly open: readonly OpenPoint[];
  readonly accepted: readonly Accepted[];
}

export interface Audit {
  readonly items: readonly AuditedItem[];
  /** There are more open points than are looked at. */
  readonly isCut: boolean;
}

/** A policy that was examined with `lint: "audit"` → how it stands, in the order of the items and of its lines. */
export function auditOf(audited: Audited, { warnings, silenced }: Examination): Audit {
  const { routes } = audited;
  const { covers, shares } = lookAt(audited);
  const items = AUDIT_ITEMS.map((item): AuditedItem => {
    const isItems = ({ rule }: Warning): boolean => ITEM_OF_RULE[rule] === item.id;
    const open = warnings.filter(isItems).map((one) => pointOf(one, routes));
    const accepted = silenced
      .filter(({ warning }) => isItems(warning))
      .map(({ warning, because }) => ({ ...pointOf(warning, routes), because }));
    const own = covers.filter((cover) => cover.item === item.id);
    return {
      ...item,
      coverage: coverageOf(open, accepted, own),
      routes: shares.get(item.id) ?? null,
      covers: own,
      open,
      accepted,
    };
  });
  return { items, isCut: warnings.length >= DEFAULTS.policyProblemsMax };
}

function coverageOf(
  open: readonly OpenPoint[],
  accepted: readonly Accepted[],
  covers: readonly Cover[],
): AuditedItem["coverage"] {
  if (open.length > 0) return covers.length === 0 ? "open" : "partly";
  return accepted.length > 0 ? "accepted" : "covered";
}

function pointOf({ rule, place, text }: Warning, routes: readonly Route[]): OpenPoint {
  const { severity, mend } = LINT_RULES[rule];
  return { rule, severity, place, text, mend, subject: subjectOf(place, routes) };
}

/** Numbers of routes change with each route that is added above: what a point is about should not. */
function subjectOf({ path }: Place, routes: readonly Route[]): string {
  const route = routes.find(({ place }) => path === place.path || path.startsWith(`${place.path}.`));
  return route === undefined ? path : `${routeLabel(route)}${path.slice(route.place.path.length)}`;
}

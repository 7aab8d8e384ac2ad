import { parseTemplate, shapeOf } from "../../matching/template.ts";
import type { Description } from "../../openapi/description.ts";
import type { Work } from "../work.ts";
import { addVersion, type DescribedVersion, type OperationEntry } from "./entries.ts";
import { isMapping, placeOf, RouteEntry } from "./entry.ts";
import { authenticatorsOf, type SchemeMapping } from "./schemes.ts";

export interface UndeclaredRules {
  readonly mode: "refuse" | "audit" | "ignore";
  readonly bases: readonly string[] | null;
  readonly isPublic: boolean;
  readonly version: DescribedVersion | undefined;
  readonly mapping: SchemeMapping;
}

/**
 * Routes for what no operation takes. Refused is that anyway, unless a broader route of the policy would take it. What is only
 * audited passes for whoever any of the document's authenticators knows.
 */
export function undeclaredRoutes(
  work: Work,
  description: Description,
  entries: readonly OperationEntry[],
  rules: UndeclaredRules,
): readonly RouteEntry[] {
  const { mode } = rules;
  if (mode === "ignore") return [];
  const own = ownShapes(work);
  const bases = [...new Set(rules.bases ?? description.operations.flatMap((operation) => operation.bases))];
  const open = mode === "audit" ? bases : bases.filter((base) => [...own].some((shape) => covers(shape, base)));
  const templates = open.map((base) => `${base.replace(/\/$/, "")}/**`);
  if (mode === "audit") templates.push(...new Set(entries.map(({ template }) => template)));
  const shapes = new Set(own);
  return templates.flatMap((template) => {
    const parsed = parseTemplate(template);
    const shape = parsed.ok ? shapeOf(parsed.value) : null;
    if (shape === null || shapes.has(shape)) return [];
    shapes.add(shape);
    return [routeOf(work, template, description, rules)];
  });
}

/** Shapes of the policy's own routes that take the usual methods. */
function ownShapes({ reader }: Work): ReadonlySet<string> {
  const shapes = new Set<string>();
  const routes = reader.raw(["routes"]);
  for (const route of Array.isArray(routes) ? routes : []) {
    if (!isMapping(route) || typeof route["path"] !== "string" || route["methods"] !== undefined) continue;
    const parsed = parseTemplate(route["path"]);
    if (parsed.ok) shapes.add(shapeOf(parsed.value));
  }
  return shapes;
}

/** Whether a route of this shape takes all that is below the base path. */
function covers(shape: string, base: string): boolean {
  if (!shape.endsWith("/**")) return false;
  const steps = shape
    .slice(1, -3)
    .split("/")
    .filter((step) => step !== "");
  const own = base.split("/").filter((step) => step !== "");
  return steps.length <= own.length && steps.every((step, at) => step === "{}" || step === own[at]);
}

function routeOf(work: Work, template: string, description: Description, rules: UndeclaredRules): RouteEntry {
  const at = () => placeOf(description.pathsPlace, "/paths");
  const entry = new RouteEntry(at());
  entry.set(["path"], template, at);
  addVersion(entry, rules.version);
  entry.set(["undeclared"], rules.mode === "audit" ? "audit" : "enforce", at);
  if (rules.mode === "refuse") {
    entry.set(["public"], true, at);
    return entry;
  }
  if (work.reader.raw(["defaults", "authenticate"]) !== undefined) return entry;
  const names = [...description.schemes.values()].flatMap((scheme) => {
    const found = authenticatorsOf(scheme, rules.mapping);
    return typeof found === "string" ? [] : found;
  });
  if (names.length > 0) entry.set(["authenticate"], [...new Set(names)], at);
  else entry.set(["public"], true, at);
  return entry;
}

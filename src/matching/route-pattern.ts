import { ANY_HOST } from "./host-table.ts";
import { parseTemplate, type Template } from "./template.ts";

/** What the tree needs of a route; see policy/snapshot.ts for the rest. */
export interface RoutePattern {
  readonly template: string;
  readonly methods: readonly string[];
  readonly hosts: readonly string[];
  /** The service tells upper from lower case; see rule 4 of the route tree. */
  readonly isCaseSensitive?: boolean;
}

/** Its template, parsed; throws where that is none. */
export function templateOf(route: RoutePattern): Template {
  const template = parseTemplate(route.template);
  if (!template.ok) throw new Error(`template ${route.template}: ${template.error}`);
  return template.value;
}

/** Its host patterns; any where it names none. */
export function hostsOf(route: RoutePattern): readonly string[] {
  return route.hosts.length === 0 ? [ANY_HOST] : [...new Set(route.hosts)];
}

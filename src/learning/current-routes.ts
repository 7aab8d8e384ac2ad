import { buildRouteTree, parseTemplate, type RouteTree } from "../matching/route-tree.ts";
import type { Route, Snapshot } from "../policy/snapshot.ts";
import type { DecisionFacts } from "../records/decision-facts.ts";

export type Settings = Readonly<Record<string, unknown>>;

/** A route of the policy that the traffic had, from which learnt ones start: none is wider than it. */
export interface CurrentRoute {
  readonly template: string;
  /** What is before its `**`; null for a route with one place. */
  readonly prefix: string | null;
  /** Steps before its `**`. */
  readonly skipped: number;
  /** Of a route with one place: which steps of a path, from 1, are parameters. */
  readonly parameters: readonly (readonly [name: string, at: number])[];
  /**
   * `narrowed`: what it lets in is learnt. `answered`: postern itself answers. `declared`: an operation of a document, which says
   * itself how narrow it is. The last two stay as they are.
   */
  readonly kind: "narrowed" | "answered" | "declared";
  /** As the policy has them. */
  readonly settings: Settings;
}

/** The current policy, as far as learning looks at it. */
export interface CurrentPolicy {
  /** What takes a request; null where nothing does. */
  routeOf(facts: DecisionFacts): CurrentRoute | null;
  /** In their order. */
  readonly routes: readonly CurrentRoute[];
  readonly defaults: Settings;
  /** Names of its roles. */
  readonly roles: ReadonlySet<string>;
  /** Names of its limits. */
  readonly limits: ReadonlySet<string>;
}

/** Where there is no policy, everything was let in. */
export function openPolicy(): CurrentPolicy {
  const open = currentRoute("/**", { public: true }, "narrowed");
  return { routeOf: () => open, routes: [open], defaults: {}, roles: new Set(), limits: new Set() };
}

/**
 * The policy as it is now: which of its routes takes a request is asked of its own tree, whatever took it when it was recorded.
 * `file`: its text, and those of what it includes, as one. `entriesOf`: the routes of one of them, by the name that places have.
 */
export function currentPolicy(
  snapshot: Snapshot,
  file: Settings,
  entriesOf: (name: string) => readonly unknown[],
): CurrentPolicy {
  const routes = new Map<Route, CurrentRoute>();
  for (const route of snapshot.routeList) {
    const at = /^routes\[(\d+)\]$/.exec(route.place.path)?.[1];
    const settings = at === undefined ? null : mapping(entriesOf(route.place.file)[Number(at)]);
    const isOwn = settings !== null && settings["path"] === route.template;
    const kind = !isOwn ? "declared" : route.answer === null ? "narrowed" : "answered";
    routes.set(route, currentRoute(route.template, isOwn ? settings : {}, kind));
  }
  const trees = new Map<string, RouteTree<Route>>();
  const treeOf = (version: string | null): RouteTree<Route> => {
    if (version === null || snapshot.versions === null) return snapshot.routes;
    const known = trees.get(version);
    if (known !== undefined) return known;
    const tree = buildRouteTree(snapshot.routeList.filter(({ versions }) => versions.includes(version)));
    trees.set(version, tree);
    return tree;
  };
  return {
    routeOf: ({ host, method, path, version }) => {
      const match = treeOf(version).match(host, method, path);
      return match.kind === "found" ? (routes.get(match.route) ?? null) : null;
    },
    routes: [...routes.values()],
    defaults: mapping(file["defaults"]),
    roles: new Set(Object.keys(mapping(file["roles"]))),
    limits: new Set(Object.keys(mapping(file["limits"]))),
  };
}

export function currentRoute(template: string, settings: Settings, kind: CurrentRoute["kind"]): CurrentRoute {
  const parsed = parseTemplate(template);
  const segments = parsed.ok ? parsed.value.segments : [];
  const prefix = template.endsWith("/**") ? template.slice(0, -3) : null;
  return {
    template,
    prefix,
    skipped: prefix === null ? 0 : prefix.split("/").length - 1,
    parameters: segments.flatMap((segment, at) => (segment.kind === "param" ? [[segment.name, at + 1] as const] : [])),
    kind,
    settings,
  };
}

export function mapping(value: unknown): Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

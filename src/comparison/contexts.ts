import { buildCidrTable } from "../matching/cidr-table.ts";
import { parseAddress } from "../message/address.ts";
import { edgesOf } from "./address-edges.ts";
import { type BodyContext, bodyContexts } from "./bodies.ts";
import { type ParameterValues, parameterValues } from "./parameter-values.ts";
import { pathOf } from "./paths.ts";
import { patternsOf } from "./patterns.ts";
import { type Settings, settingsOf, textsOf } from "./settings.ts";
import type { Place, Side } from "./sides.ts";
import { timesOf } from "./times.ts";
import { USUAL_CLIENT } from "./witness.ts";

/** What of a request is another than at the middle of the grid; empty for the middle itself. */
export interface Context extends BodyContext {
  readonly path?: string;
  readonly host?: string;
  readonly client?: string;
  /** Unix milliseconds. */
  readonly atMs?: number;
  readonly query?: Readonly<Record<string, string | null>>;
}

const OTHER_HOST = "other.example";

/** What rules of the place say of parameters of one kind: name → what it has to be, and whether it has to be there. */
function named(place: Place, section: string): readonly (readonly [string, NamedValues])[] {
  const patterns = patternsOf(place);
  return place.routes.flatMap(({ side, placed }) =>
    [side.defaults, placed.settings].flatMap((settings) =>
      Object.entries(settingsOf(settingsOf(settings["validate"])[section])).map(([name, value]) => {
        const own = settingsOf(value);
        const { schema } = side.schemas.open(own["schema"] ?? own);
        return [name, { ...parameterValues(schema, patterns), isRequired: own["required"] === true }] as const;
      }),
    ),
  );
}

interface NamedValues extends ParameterValues {
  readonly isRequired: boolean;
}

/** What a parameter of the place's path is, where nobody asks for another value. */
export function usualParam(place: Place): (name: string) => string {
  const values = new Map(named(place, "path").map(([name, { good }]) => [name, good[0] ?? "1"]));
  return (name) => values.get(name) ?? "1";
}

/** The middle of the grid: what every request of the place has, so that the rest of it is judged at all. */
export function middleOf(place: Place): Context {
  const [host] = place.hosts;
  const required = (section: string) =>
    Object.fromEntries(
      named(place, section).flatMap(([name, { good, isRequired }]) => (isRequired ? [[name, good[0] ?? "1"]] : [])),
    );
  const version = versionContexts(place)[0] ?? {};
  return {
    client: usualClient(place),
    ...(host === undefined ? {} : { host: host.replace("*", "a") }),
    headers: { ...usualAgent(place), ...required("headers"), ...version.headers },
    query: { ...required("query"), ...version.query },
  };
}

/** Rules for bots refuse who does not say what it is, and those that they know. */
function usualAgent({ routes }: Place): Record<string, string> {
  const asksForOne = routes.some(({ side, placed }) => "bots" in side.defaults || "bots" in placed.settings);
  return asksForOne ? { "user-agent": "client/1" } : {};
}

/** One thing at a time that a rule of one of its routes looks at. */
export function contextsOf(place: Place, nowMs: number): readonly Context[] {
  return [
    ...addresses(place).map((client) => ({ client })),
    ...versionContexts(place).slice(1),
    ...parameterContexts(place, "query", (query) => ({ query })),
    ...parameterContexts(place, "headers", (headers) => ({ headers })),
    ...timesOf(place, nowMs).map((atMs) => ({ atMs })),
    ...bodyContexts(place),
  ];
}

/** Its hosts but the middle's, and one that is no route's. */
export function hostsOf({ hosts }: Place): readonly string[] {
  return hosts.length === 0 ? [] : [...hosts.slice(1).map((host) => host.replace("*", "b")), OTHER_HOST];
}

/** Values at the bounds of the schemas, siblings that fall to wider routes, and the path with a slash more. */
export function pathsOf(place: Place, meetings: readonly string[]): readonly string[] {
  const usual = usualParam(place);
  const base = pathOf(place.template, usual);
  const values = named(place, "path").flatMap(([name, { good, bad }]) => {
    return [...good, ...bad].map((value) => pathOf(place.template, (one) => (one === name ? value : usual(one))));
  });
  const parent = base.slice(0, base.lastIndexOf("/"));
  const around = [
    `${parent}/zz9`,
    `${base === "/" ? "" : base}/zz9`,
    base.endsWith("/") ? base.slice(0, -1) : `${base}/`,
  ];
  const bare = place.template.endsWith("/**") ? [pathOf(place.template.slice(0, -3), usual)] : [];
  return [...new Set([...meetings, ...values, ...bare, ...around])].filter((path) => path !== "" && path !== base);
}

/** Edges of each range that either policy has for the place. */
function addresses(place: Place): readonly string[] {
  const edges = addressRules(place).flatMap(({ allow, deny, except }) => [allow, deny, except].flatMap(textsOf));
  return [...new Set(edges.flatMap(edgesOf))];
}

function addressRules({ routes }: Place): readonly Settings[] {
  return routes.flatMap(({ side, placed }) =>
    [side.defaults, placed.settings].map((settings) => settingsOf(settings["address"])),
  );
}

/** Whom the most address rules let in: what they refuse shows of no other rule what it does. */
function usualClient(place: Place): string {
  const letIn = addressRules(place).map(({ allow, deny, except }) => {
    const [allowed, denied, excepted] = [allow, deny, except].map((list) => has(textsOf(list)));
    return (client: string) =>
      (allow === undefined || allowed?.(client) === true) && (denied?.(client) !== true || excepted?.(client) === true);
  });
  let usual = { client: USUAL_CLIENT, letIn: -1 };
  for (const client of [USUAL_CLIENT, ...addresses(place)]) {
    const count = letIn.filter((lets) => lets(client)).length;
    if (count > usual.letIn) usual = { client, letIn: count };
  }
  return usual.client;
}

function has(prefixes: readonly string[]): (client: string) => boolean {
  const table = buildCidrTable(prefixes);
  return (client) => {
    const address = parseAddress(client);
    return table.ok && address !== null && table.value.has(address);
  };
}

/** Each version of the place where either policy looks for one, then none and one that there is not. */
function versionContexts(place: Place): readonly Context[] {
  const sources = place.routes.flatMap(({ side }) => sourcesOf(side));
  if (sources.length === 0) return [];
  const versions: readonly (string | null)[] = [...place.versions, null, "zz9"];
  return versions.flatMap((version) =>
    sources.map(({ header, query }) =>
      header === null ? { query: { [query ?? ""]: version } } : { headers: { [header]: version } },
    ),
  );
}

interface VersionSource {
  readonly header: string | null;
  readonly query: string | null;
}

function sourcesOf(side: Side): readonly VersionSource[] {
  const { from } = settingsOf(side.section("versions"));
  if (!Array.isArray(from)) return [];
  return from.flatMap((one: unknown): VersionSource[] => {
    const { header, query } = settingsOf(one);
    if (typeof header === "string") return [{ header: header.toLowerCase(), query: null }];
    return typeof query === "string" ? [{ header: null, query }] : [];
  });
}

function parameterContexts(
  place: Place,
  section: "query" | "headers",
  toContext: (values: Record<string, string | null>) => Context,
): readonly Context[] {
  return named(place, section).flatMap(([name, { good, bad }]) => {
    const key = section === "headers" ? name.toLowerCase() : name;
    return [...good, ...bad, null].map((value) => toContext({ [key]: value }));
  });
}

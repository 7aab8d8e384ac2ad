import { foldName, namesRead } from "../../bodies/names.ts";
import type { Reason } from "../../decision/reason.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import type { RouteTree } from "../../matching/route-tree.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { queryNames, queryValues } from "../../message/query.ts";
import { canonicalName } from "../../message/reserved-names.ts";
import { excerpt } from "../../support/excerpt.ts";
import { AMBIGUOUS, MediaVersions } from "./media-versions.ts";

/** Section `versions`, and where it stands. */
export interface VersionRules {
  readonly place: Place;
  /** Lower case. */
  readonly headers: readonly string[];
  readonly queries: readonly string[];
  /** Names of parameters, and types with `{version}`. */
  readonly mediaTypes: readonly string[];
  readonly default: string | null;
}

/** Why a request has no version that a route could go by. */
interface VersionFault {
  readonly reason: Extract<Reason, "version_missing" | "version_ambiguous" | "version_unknown">;
  readonly seen: string;
  readonly wanted: string;
}

/** What this looks at of a route. */
interface VersionedRoute {
  readonly place: Place;
  /** Empty where versions are of no account. */
  readonly versions: readonly string[];
}

/**
 * Which version a request is for, and the routes of each. Every source that names one has to name the same one, in one
 * spelling; the service is then told that version in all its headers, so that it can take no other.
 */
export class Versions<R extends VersionedRoute> {
  readonly #rules: VersionRules;
  readonly #trees: ReadonlyMap<string, RouteTree<R>>;
  readonly #without: RouteTree<R>;
  readonly #headers: ReadonlySet<string>;
  readonly #folded: ReadonlySet<string>;
  readonly #media: MediaVersions;

  /** `trees` by version; `without`: for requests that have none, or none that is known. */
  constructor(rules: VersionRules, trees: ReadonlyMap<string, RouteTree<R>>, without: RouteTree<R>) {
    this.#rules = rules;
    this.#trees = trees;
    this.#without = without;
    this.#headers = new Set(rules.headers);
    this.#folded = new Set(rules.queries.map((name) => dashless(foldName(name))));
    this.#media = new MediaVersions(rules.mediaTypes);
  }

  /** The routes that requests like this one are matched with. */
  routesFor(exchange: Exchange): RouteTree<R> {
    const version = this.#read(exchange);
    return (typeof version === "string" ? this.#trees.get(version) : undefined) ?? this.#without;
  }

  /**
   * Every route that a preflight for `method` may be about. It tells the names of headers and not what they will say, and Accept
   * not at all; where neither can name a version, the request will have the one that the preflight has itself.
   */
  routesForPreflight(exchange: Exchange, method: string): readonly R[] {
    const { host, target } = exchange;
    const found = new Set<R>();
    for (const [version, tree] of this.#trees) {
      if (!this.#mayBe(exchange, version)) continue;
      const match = tree.match(host, method, target.path);
      if (match.kind !== "found") continue;
      const { versions } = match.route;
      if (versions.length === 0 || versions.includes(version)) found.add(match.route);
    }
    return [...found];
  }

  /** Whether the request behind a preflight may be one of this version. */
  #mayBe(exchange: Exchange, version: string): boolean {
    const named: string[] = [];
    const { headers, target } = exchange;
    if (this.#fromQuery(target.query, named) !== null) return false;
    if (named.length > 0) return named.every((one) => one === version);
    const asked = (headers.list("access-control-request-headers") ?? "").toLowerCase().split(",");
    const isOpen = this.#rules.mediaTypes.length > 0 || asked.some((name) => this.#headers.has(name.trim()));
    return isOpen || this.#rules.default === null || this.#rules.default === version;
  }

  /** Whether the route that was found is one of the request's version; notes the version where it is. */
  judge(exchange: Exchange, route: R): Verdict {
    if (route.versions.length === 0) return CONTINUE;
    const version = this.#read(exchange);
    if (typeof version !== "string") {
      return new Denial(version.reason, this.#rules.place, version.seen, version.wanted);
    }
    if (!route.versions.includes(version)) {
      return new Denial(
        "version_unknown",
        route.place,
        `version ${version}`,
        `one of ${route.versions.join(", ")} here`,
      );
    }
    if (exchange.version === null) {
      for (const name of this.#rules.headers) exchange.serviceLines += `${name}: ${version}\r\n`;
    }
    exchange.version = version;
    return CONTINUE;
  }

  /** The request's version, one of those that there are; or why it has none. */
  #read({ headers, target }: Exchange): string | VersionFault {
    const named: string[] = [];
    const fault =
      this.#fromHeaders(headers, named) ?? this.#fromQuery(target.query, named) ?? this.#fromMedia(headers, named);
    if (fault !== null) return fault;
    const [version = this.#rules.default] = named;
    if (version === null) return { reason: "version_missing", seen: "no version", wanted: this.#wanted() };
    const other = named.find((one) => one !== version);
    if (other !== undefined) return ambiguous(`versions ${excerpt(version, 64)} and ${excerpt(other, 64)}`);
    if (this.#trees.has(version)) return version;
    return { reason: "version_unknown", seen: `version ${excerpt(version, 64)}`, wanted: this.#wanted() };
  }

  #wanted(): string {
    return `one of ${[...this.#trees.keys()].join(", ")}`;
  }

  #fromHeaders({ names, values }: HeaderBlock, named: string[]): VersionFault | null {
    if (this.#headers.size === 0) return null;
    const seen = new Set<string>();
    for (const [at, name] of names.entries()) {
      const canonical = canonicalName(name);
      if (!this.#headers.has(canonical)) continue;
      if (name !== canonical) return ambiguous(`header ${excerpt(name, 64)}, which services take for ${canonical}`);
      if (seen.has(name)) return ambiguous(`header ${name} more than once`);
      seen.add(name);
      named.push(values[at] ?? "");
    }
    return null;
  }

  #fromQuery(query: string, named: string[]): VersionFault | null {
    if (query.length <= 1 || this.#folded.size === 0) return null;
    let exact = 0;
    for (const name of this.#rules.queries) {
      const values = queryValues(query, name);
      if (values.length > 1) return ambiguous(`parameter ${name} more than once`);
      exact += values.length;
      named.push(...values);
    }
    // Some part queries at `;`, too, and find what stands behind it.
    const names = queryNames(query.replaceAll(";", "&"));
    const read = names.filter((name) => namesRead(name).some((one) => this.#folded.has(dashless(one))));
    if (read.length === exact) return null;
    const other = read.find((name) => !this.#rules.queries.includes(name)) ?? read[0] ?? "";
    return ambiguous(`parameter ${excerpt(other, 64)}, which services may take for the version`);
  }

  #fromMedia(headers: HeaderBlock, named: string[]): VersionFault | null {
    if (this.#rules.mediaTypes.length === 0) return null;
    for (const name of ["accept", "content-type"]) {
      const text = headers.list(name);
      const version = text === undefined ? null : this.#media.read(text);
      if (version === AMBIGUOUS) return ambiguous(`${name} whose version can be read in more than one way`);
      if (version !== null) named.push(version);
    }
    return null;
  }
}

function ambiguous(seen: string): VersionFault {
  return { reason: "version_ambiguous", seen, wanted: "one version, named once in one spelling" };
}

/** Who writes `api_version` for `api-version` means the same, whatever the service makes of it. */
function dashless(name: string): string {
  return name.replaceAll("-", "_");
}

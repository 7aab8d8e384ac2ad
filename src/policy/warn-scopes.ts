import { DEFAULTS } from "../support/defaults.ts";
import { DEFAULTS_KEY } from "./compile-defaults.ts";
import { valueAt } from "./issues.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/**
 * Warns where a route asks every caller for scopes, though those of one authenticator can never have them: they would be
 * let in and then always be denied. Below `any`, another rule may let them pass.
 */
export function warnScopes(work: Work, route: Path): void {
  const known = authenticatorsOf(work, route).flatMap((name) => {
    const scopes = work.authenticators.get(name)?.scopes;
    return scopes === undefined ? [] : [{ name, scopes }];
  });
  if (known.length === 0) return;
  for (const owner of [[DEFAULTS_KEY], route]) {
    for (const path of scopesWithin(work, [...owner, "authorize"])) {
      for (const { name, scopes } of known) warnMissing(work, name, scopes, path);
    }
  }
}

function warnMissing(work: Work, name: string, scopes: ReadonlySet<string>, path: Path): void {
  const wanted: unknown = work.reader.raw(path);
  const missing = Array.isArray(wanted) ? wanted.find((scope) => !scopes.has(scope)) : undefined;
  if (missing === undefined) return;
  const text =
    scopes.size === 0
      ? `a caller known by '${name}' has no scopes, so this can never be met by it`
      : `no caller known by '${name}' has the scope '${missing}', so this can never be met by one`;
  work.warning("scopes_unmeetable", text, path);
}

/** Names in `authenticate` as it applies to the route. */
function authenticatorsOf({ reader }: Work, route: Path): readonly string[] {
  const value = reader.raw([...route, "authenticate"]) ?? reader.raw([DEFAULTS_KEY, "authenticate"]);
  const inAny = valueAt(value, ["any"]) ?? reader.raw([DEFAULTS_KEY, "authenticate", "any"]);
  const names = Array.isArray(value) ? value : inAny;
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** Paths of the `scopes` that every caller has to meet: of the rule itself, and of those in its `all`. */
function scopesWithin({ reader }: Work, rule: Path): readonly Path[] {
  const found: Path[] = [];
  const left: Path[] = [rule];
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    const scopes = reader.raw([...path, "scopes"]);
    if (Array.isArray(scopes) && scopes.length > 0) found.push([...path, "scopes"]);
    const all = reader.raw([...path, "all"]);
    if (!Array.isArray(all) || path.length > 2 * DEFAULTS.authorizeDepthMax) continue;
    for (const at of all.keys()) left.push([...path, "all", at]);
  }
  return found;
}

import type { Steps } from "../../support/turns.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";
import { lintedRoutes, settingsOf } from "./routes.ts";
import { rulesWithin } from "./rules.ts";

/**
 * Ways into a rule, of several or of a role, that are open to nobody: no caller of any authenticator of the routes that
 * have it can have its scopes. What every caller has to have is told by `policy/warn-scopes`.
 */
export function* lintScopes(work: Work): Steps<void> {
  const places = new Map<string, { readonly path: Path; readonly missing: Set<string> | null }>();
  for (const linted of lintedRoutes(work)) {
    const { authenticators, route } = linted;
    if (route.isPublic || authenticators.length === 0) continue;
    const sets = authenticators.map(({ scopes }) => scopes);
    for (const settings of settingsOf(work, linted, "authorize")) {
      for (const { path, rule, isOneOf, isDenied } of rulesWithin(work, settings)) {
        yield;
        const scopes = rule["scopes"];
        if (isDenied || !(isOneOf || path[0] === "roles") || !Array.isArray(scopes)) continue;
        const isOpen = sets.some((known) => known === undefined || scopes.every((scope) => known.has(scope)));
        const at = [...path, "scopes"];
        const key = at.join("\n");
        const before = places.get(key);
        const missing = scopes.filter((scope) => !sets.some((known) => known?.has(scope)));
        if (isOpen || before?.missing === null) places.set(key, { path: at, missing: null });
        else places.set(key, { path: at, missing: new Set([...(before?.missing ?? []), ...missing]) });
      }
    }
  }
  for (const { path, missing } of places.values()) {
    if (missing === null) continue;
    const what = missing.size === 0 ? "all of these scopes at once" : `the scope '${[...missing][0]}'`;
    work.warning("scopes_unmeetable", `no caller can have ${what}, so this way in is open to nobody`, path);
  }
}

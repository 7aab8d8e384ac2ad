import { isToken } from "../../attributes/principal-facts.ts";
import type { Steps } from "../../support/turns.ts";
import { asksForCertificates } from "../asks-for-certificates.ts";
import type { Work } from "../work.ts";
import { type LintedRoute, lintedRoutes, settingsOf } from "./routes.ts";

/** Routes that nothing limits, and limits that count by what the route never knows. */
export function* lintLimits(work: Work): Steps<void> {
  const isLimited = work.admitChecks.some(({ name }) => name === "limit");
  for (const linted of lintedRoutes(work)) {
    yield;
    const { route } = linted;
    if (!isLimited && route.answer === null && !route.checks.some(({ name }) => name === "limit"))
      work.warnings.add(
        "route_without_limit",
        route.place,
        `nothing limits how often '${route.template}' may be asked for`,
      );
    lintKeys(work, linted);
  }
}

function lintKeys(work: Work, linted: LintedRoute): void {
  for (const path of settingsOf(work, linted, "limit")) {
    const entries = work.reader.raw(path);
    if (!Array.isArray(entries)) continue;
    for (const [at, name] of entries.entries()) {
      if (typeof name !== "string") continue;
      const fault = absentPart(work, linted, work.reader.raw(["limits", name, "key"]));
      if (fault === null) continue;
      const absent: unknown = work.reader.raw(["limits", name, "absent"]);
      const effect =
        absent === "unlimited"
          ? "so it limits nobody"
          : absent === "deny"
            ? "so it denies every request"
            : "so it counts by 'absent' alone";
      // What the defaults say is each route's own matter here.
      const place = path[0] === "routes" ? work.reader.document.place([...path, at]) : linted.route.place;
      work.warnings.add("limit_key_absent", place, `'${name}' counts by ${fault}, ${effect}`);
    }
  }
}

/** The first part of a key that no request of the route has, and why; null where there is none. */
function absentPart(work: Work, { route, authenticators }: LintedRoute, key: unknown): string | null {
  const parts: unknown[] = Array.isArray(key) ? key : [key];
  for (const part of parts) {
    if (typeof part !== "string") continue;
    const [family = ""] = part.split(/[.[]/);
    if (family === "principal" && route.isPublic) return `'${part}', and nobody authenticates on a public route`;
    if (family === "jwt" && (route.isPublic || (authenticators.length > 0 && !authenticators.some(isToken))))
      return `'${part}', and no authenticator of the route reads tokens`;
    if (family === "certificate" && !asksForCertificates(work))
      return `'${part}', and no listener asks for client certificates`;
  }
  return null;
}

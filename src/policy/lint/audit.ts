import type { Steps } from "../../support/turns.ts";
import { lookAt } from "../audit/look.ts";
import type { Work } from "../work.ts";

/** Below these stands what routes are made of, but for what is only sent on or back. */
const OF_ROUTES = /^(?:include|openapi|grpc|bans|(?:routes\[\d+\]|defaults)\.(?!request\b|response\.setHeaders\b))/;

/** What an audit finds open, among the warnings, so that comments of the policy can accept it. */
export function* lintAudit(work: Work): Steps<void> {
  if (!hasAllOfRoutes(work)) return;
  const { admitChecks, bans, rungs, routes, reader } = work;
  // What the policy says of these is known without their files.
  const authenticators = reader.names(["authenticators"]).map((name) => ({
    name,
    type: reader.raw(["authenticators", name, "type"]),
    place: reader.document.place(["authenticators", name]),
  }));
  const listeners = work.listeners.map(({ name, place, address, tls }, at) => ({
    name,
    place,
    address,
    hasTls: tls !== null || reader.raw(["listeners", at, "tls"]) !== undefined,
  }));
  work.audited = { listeners, authenticators, admitChecks, bans, rungs, routes };
  for (const { rule, place, text } of lookAt(work.audited).open) {
    yield;
    work.warnings.add(rule, place, text);
  }
}

/** Without a file of theirs, routes would seem to leave open what they do not. */
function hasAllOfRoutes({ absent, file, limits, stores, decisionServices, detectors }: Work): boolean {
  const isWhole = [limits, stores, decisionServices, detectors].every(({ size, defined }) => size === defined.size);
  return isWhole && absent.sorted(file).every(({ place }) => !OF_ROUTES.test(place.path));
}

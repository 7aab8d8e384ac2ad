import type { Steps } from "../../support/turns.ts";
import type { Work } from "../work.ts";
import { lintAudit } from "./audit.ts";
import { lintConditions } from "./conditions.ts";
import { lintContradictions } from "./contradictions.ts";
import { lintCredentials } from "./credentials.ts";
import { lintLimits } from "./limits.ts";
import { lintNames } from "./names.ts";
import { lintScopes } from "./scopes.ts";
import { lintSecrets } from "./secrets.ts";
import { silence } from "./silence.ts";

/** The last stage: what no policy pays for that only runs. */
export function* lint(work: Work): Steps<void> {
  // Where something does not compile, what is left of the policy means something else.
  const isAsked = work.inputs.lint !== undefined && work.problems.isEmpty;
  if (isAsked) {
    yield* lintSecrets(work);
    yield* lintConditions(work);
    yield* lintContradictions(work);
    yield* lintScopes(work);
    yield* lintCredentials(work);
    yield* lintLimits(work);
    yield* lintNames(work);
    if (work.inputs.lint === "audit") yield* lintAudit(work);
  }
  yield* silence(work, isAsked);
}

import type { Steps } from "../../support/turns.ts";
import { lookAt } from "../audit/look.ts";
import type { Work } from "../work.ts";

/** What an audit finds open, among the warnings, so that comments of the policy can accept it. */
export function* lintAudit(work: Work): Steps<void> {
  for (const { rule, place, text } of lookAt(work).open) {
    yield;
    work.warnings.add(rule, place, text);
  }
}

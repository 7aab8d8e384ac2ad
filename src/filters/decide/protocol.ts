import type { JsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";

/** How a kind of service is asked, and what it answers. */
export interface Protocol {
  readonly type: "opa" | "authzen";
  readonly url: URL;
  /** Where a list is asked about; null where there is no such place. */
  readonly batchUrl: URL | null;
  /** A question about nothing, for `check --online`. */
  readonly emptyQuestion: string;
}

export function protocolOf(type: Protocol["type"], url: URL): Protocol {
  if (type === "opa") return { type, url, batchUrl: null, emptyQuestion: '{"input":{}}' };
  const hasBatch = url.pathname.endsWith("/evaluation");
  const nobody = { subject: { type: "user", id: "" }, action: { name: "" }, resource: { type: "path", id: "" } };
  return {
    type,
    url,
    // AuthZEN 1.0 section 10.1.2: the two stand beside each other.
    batchUrl: hasBatch ? new URL(`${url.href}s`) : null,
    emptyQuestion: JSON.stringify(nobody),
  };
}

/** An answer → whether it allows, or what is wrong with it. Only true allows; what is no boolean is no answer. */
export function readVerdict({ type }: Protocol, answer: JsonObject): Result<boolean, string> {
  return type === "opa" ? readOpa(answer) : readAuthzen(answer);
}

/** OPA leaves `result` out where no rule of its policy has a value for this input: nobody allowed it. */
function readOpa({ result }: JsonObject): Result<boolean, string> {
  if (result === undefined) return ok(false);
  if (typeof result === "boolean") return ok(result);
  if (isObject(result)) {
    const { allow, allowed } = result;
    const verdict = allow ?? allowed;
    if (typeof verdict === "boolean" && (allow === undefined || allowed === undefined)) return ok(verdict);
  }
  return err("an answer whose 'result' is neither true or false nor an object with 'allow'");
}

function readAuthzen({ decision, evaluations }: JsonObject): Result<boolean, string> {
  if (evaluations === undefined) {
    return typeof decision === "boolean" ? ok(decision) : err("an answer without 'decision' as true or false");
  }
  if (!Array.isArray(evaluations) || evaluations.length === 0) return err("an answer whose 'evaluations' are no list");
  const verdicts = evaluations.map((one: unknown) => (isObject(one) ? one["decision"] : undefined));
  if (!verdicts.every((verdict) => typeof verdict === "boolean")) return err("an evaluation without 'decision'");
  return ok(verdicts.every((verdict) => verdict === true));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { PHASES } from "../decision/phases.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import {
  type CertificateFacts,
  type ClaimValue,
  type DecisionFacts,
  type DenialFacts,
  FACTS_VERSION,
  type PrincipalFacts,
} from "./decision-facts.ts";
import type { Step } from "./step.ts";
import { readShape, type ValueShape } from "./value-shape.ts";

/**
 * JSON from a file or another process → facts, or which member is not as it has to be. Texts are bounded anew, and nothing in
 * them steers a terminal: whoever can write the file need not be whoever wrote postern's.
 */
export function readFacts(value: unknown): Result<DecisionFacts, string> {
  if (!isObject(value)) return err("expected a JSON object");
  if (value["v"] !== FACTS_VERSION) return err(`expected "v": ${FACTS_VERSION}`);
  try {
    return ok(factsOf(new Members(value)));
  } catch (error) {
    if (error instanceof MemberFault) return err(error.message);
    throw error;
  }
}

class MemberFault extends Error {}

function factsOf(of: Members): DecisionFacts {
  const trace = of.optionalList("trace", DEFAULTS.traceStepsMax, stepOf);
  const oneIn = of.raw("oneIn");
  const shapes = of.optionalList("shapes", DEFAULTS.factsNamesMax, shapeIn);
  const values = of.optionalList("values", DEFAULTS.factsNamesMax, valueIn);
  return {
    v: FACTS_VERSION,
    id: of.text("id", ID_CHARS_MAX),
    atMs: of.number("atMs"),
    listener: of.text("listener", DEFAULTS.factsNameCharsMax),
    client: of.text("client", DEFAULTS.factsNameCharsMax),
    protocol: of.word("protocol", ["http/1.1", "h2"]),
    secure: of.flag("secure"),
    method: of.text("method", DEFAULTS.logMethodCharsMax),
    host: of.text("host", DEFAULTS.factsValueCharsMax),
    path: of.text("path", DEFAULTS.logPathCharsMax),
    query: of.texts("query", DEFAULTS.factsNamesMax),
    headers: of.list("headers", DEFAULTS.factsHeadersMax, (line) => textOf(line, "headers", LINE_CHARS_MAX)),
    route: of.text("route", DEFAULTS.logPathCharsMax),
    place: of.nullable("place", placeOf),
    version: of.nullable("version", (text) => textOf(text, "version", DEFAULTS.factsNameCharsMax)),
    principal: of.nullable("principal", principalOf),
    certificate: of.nullable("certificate", certificateOf),
    requestBytes: of.number("requestBytes"),
    responseBytes: of.number("responseBytes"),
    verdict: of.word("verdict", ["allow", "deny", "none"]),
    reason: of.nullable("reason", reasonOf),
    denial: of.nullable("denial", denialOf),
    audited: of.list("audited", DEFAULTS.factsAuditedMax, denialOf),
    status: of.number("status"),
    decisionUs: of.number("decisionUs"),
    upstreamMs: of.nullable("upstreamMs", (number) => numberOf(number, "upstreamMs")),
    durationMs: of.number("durationMs"),
    policyHash: of.text("policyHash", DEFAULTS.factsNameCharsMax),
    ...(shapes === undefined ? {} : { shapes }),
    ...(values === undefined ? {} : { values }),
    ...(oneIn === undefined ? {} : { oneIn: numberOf(oneIn, "oneIn") }),
    ...(trace === undefined ? {} : { trace }),
  };
}

const ID_CHARS_MAX = 64;
const PLACE_CHARS_MAX = 4_096;
const LINE_CHARS_MAX = DEFAULTS.factsNameCharsMax + DEFAULTS.factsValueCharsMax + 2;

function shapeIn(value: unknown): ValueShape {
  const shape = textOf(value, "shapes", DEFAULTS.factsNameCharsMax);
  if (readShape(shape) === null)
    throw new MemberFault("'shapes': expected a kind of value and its size, as in integer:3");
  return shape;
}

function valueIn(value: unknown): string | null {
  return value === null ? null : textOf(value, "values", DEFAULTS.factsValueCharsMax);
}

function principalOf(value: unknown): PrincipalFacts {
  const of = members(value, "principal");
  return {
    id: of.text("id", DEFAULTS.logTextCharsMax),
    authenticator: of.text("authenticator", DEFAULTS.factsNameCharsMax),
    type: of.text("type", DEFAULTS.factsNameCharsMax),
    scopes: of.texts("scopes", DEFAULTS.factsItemsMax),
    roles: of.texts("roles", DEFAULTS.factsItemsMax),
    groups: of.texts("groups", DEFAULTS.factsItemsMax),
    claimNames: of.texts("claimNames", DEFAULTS.factsItemsMax),
    claims: claimsOf(of.raw("claims")),
  };
}

function claimsOf(value: unknown): Record<string, ClaimValue> {
  if (!isObject(value)) throw new MemberFault("'claims': expected an object");
  const entries = Object.entries(value).slice(0, DEFAULTS.factsItemsMax);
  return Object.fromEntries(entries.map(([name, claim]) => [cleanText(name), claimOf(claim)]));
}

function claimOf(value: unknown): ClaimValue {
  return Array.isArray(value) ? value.slice(0, DEFAULTS.factsItemsMax).map(plainOf) : plainOf(value);
}

function plainOf(value: unknown): string | number | boolean {
  if (typeof value === "number" || typeof value === "boolean") return value;
  return textOf(value, "claims", DEFAULTS.factsValueCharsMax);
}

function certificateOf(value: unknown): CertificateFacts {
  const of = members(value, "certificate");
  const text = (name: string): string => of.text(name, DEFAULTS.factsValueCharsMax);
  return {
    subject: text("subject"),
    issuer: text("issuer"),
    spiffeId: of.nullable("spiffeId", (id) => textOf(id, "spiffeId", DEFAULTS.factsValueCharsMax)),
    fingerprint: text("fingerprint"),
    untrusted: of.nullable("untrusted", (code) => textOf(code, "untrusted", DEFAULTS.factsNameCharsMax)),
  };
}

function denialOf(value: unknown): DenialFacts {
  const of = members(value, "denial");
  return {
    reason: reasonOf(of.raw("reason")),
    place: of.nullable("place", placeOf),
    rule: of.nullable("rule", (rule) => textOf(rule, "rule", DEFAULTS.logPathCharsMax)),
    seen: of.text("seen", DEFAULTS.logTextCharsMax),
    wanted: of.text("wanted", DEFAULTS.logTextCharsMax),
  };
}

function stepOf(value: unknown): Step {
  const of = members(value, "trace");
  const us = of.raw("us");
  return {
    phase: of.word("phase", PHASES),
    check: of.text("check", DEFAULTS.logTextCharsMax),
    result: of.word("result", ["pass", "deny", "audit", "info"]),
    place: of.nullable("place", placeOf),
    saw: of.text("saw", DEFAULTS.logTextCharsMax),
    wanted: of.nullable("wanted", (text) => textOf(text, "wanted", DEFAULTS.logTextCharsMax)),
    ...(us === undefined ? {} : { us: numberOf(us, "us") }),
  };
}

function reasonOf(value: unknown): Reason {
  if (typeof value === "string" && isReason(value)) return value;
  throw new MemberFault("'reason': expected a reason that this postern knows");
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(REASONS, word);
}

function placeOf(value: unknown): string {
  return textOf(value, "place", PLACE_CHARS_MAX);
}

function members(value: unknown, name: string): Members {
  if (!isObject(value)) throw new MemberFault(`'${name}': expected an object`);
  return new Members(value);
}

/** Members of an object, each as it has to be; a MemberFault names the first that is not. */
class Members {
  readonly #of: Readonly<Record<string, unknown>>;

  constructor(of: Readonly<Record<string, unknown>>) {
    this.#of = of;
  }

  raw(name: string): unknown {
    return this.#of[name];
  }

  text(name: string, charsMax: number): string {
    return textOf(this.#of[name], name, charsMax);
  }

  number(name: string): number {
    return numberOf(this.#of[name], name);
  }

  flag(name: string): boolean {
    const value = this.#of[name];
    if (typeof value !== "boolean") throw new MemberFault(`'${name}': expected true or false`);
    return value;
  }

  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const found = words.find((word) => word === this.#of[name]);
    if (found === undefined) throw new MemberFault(`'${name}': expected one of ${words.join(", ")}`);
    return found;
  }

  nullable<T>(name: string, read: (value: unknown) => T): T | null {
    const value = this.#of[name];
    return value === null ? null : read(value);
  }

  list<T>(name: string, most: number, read: (value: unknown) => T): readonly T[] {
    const value = this.#of[name];
    if (!Array.isArray(value)) throw new MemberFault(`'${name}': expected a list`);
    return value.slice(0, most).map(read);
  }

  optionalList<T>(name: string, most: number, read: (value: unknown) => T): readonly T[] | undefined {
    return this.#of[name] === undefined ? undefined : this.list(name, most, read);
  }

  texts(name: string, most: number): readonly string[] {
    return this.list(name, most, (text) => textOf(text, name, DEFAULTS.factsNameCharsMax));
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberOf(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new MemberFault(`'${name}': expected a number`);
  return value;
}

/** One character more is let in, for the mark that something was cut. */
function textOf(value: unknown, name: string, charsMax: number): string {
  if (typeof value !== "string") throw new MemberFault(`'${name}': expected a text`);
  if (value.length > charsMax + 1) throw new MemberFault(`'${name}': longer than ${charsMax} characters`);
  return cleanText(value);
}

const ACTING = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g;

/** Well-formed, too: what is made of it, as a query, is none of half a pair of surrogates. */
function cleanText(text: string): string {
  return text.toWellFormed().replace(ACTING, "\ufffd");
}

import { parseForm } from "../../bodies/form.ts";
import { DeclaredNames } from "../../bodies/names.ts";
import { type BodyError, CONTINUE, Denial, type Place, type Verdict } from "../../decision/verdict.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { withoutParameters } from "../../message/query.ts";
import { canonicalName } from "../../message/reserved-names.ts";
import { decodeSegment } from "../../message/target.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";
import { judgeParameter, type Parameter, type ParameterFault } from "./parameters.ts";

/** A part of the check that the head of a request is enough for. */
export type SyncPart = (exchange: Exchange) => Verdict;

/** Parameters of one section of the policy. */
export interface ParameterRules {
  readonly parameters: readonly Parameter[];
  /** Whether the client hears what is wrong with them. */
  readonly showsErrors: boolean;
  /** Of the section. */
  readonly place: Place;
}

/** All that is wrong with the parameters of one section, the first of it in front. */
class ParameterFaults {
  readonly #in: NonNullable<BodyError["in"]>;
  readonly #found: (ParameterFault & { readonly name: string | null })[] = [];

  constructor(section: NonNullable<BodyError["in"]>) {
    this.#in = section;
  }

  judge(parameter: Parameter, values: readonly string[]): void {
    const faults = judgeParameter(parameter, values);
    if (faults.length > 0) this.add(parameter.name, faults);
  }

  /** `name` is null for what is wrong with the section as a whole. */
  add(name: string | null, faults: readonly ParameterFault[]): void {
    for (const fault of faults) if (this.#found.length < DEFAULTS.schemaFaultsMax) this.#found.push({ ...fault, name });
  }

  verdict(showsErrors: boolean): Verdict {
    const [first] = this.#found;
    if (first === undefined) return CONTINUE;
    const textOf = ({ name, seen }: typeof first): string =>
      `${this.#in}${name === null ? "" : ` ${excerpt(name)}`}: ${seen}`;
    const more = this.#found.length > 1 ? ` and ${this.#found.length - 1} more` : "";
    const errors = this.#found.map(({ name, pointer, keyword, detail }) => {
      return { in: this.#in, ...(name === null ? {} : { name: excerpt(name) }), pointer, keyword, detail };
    });
    const faults = this.#found.map((fault) => `${textOf(fault)} (${placeText(fault)})`);
    const reason = this.#in === "header" ? "header_invalid" : "parameter_invalid";
    const body = { faults, errors: showsErrors ? errors : [] };
    return new Denial(reason, first.place, `${textOf(first)}${more}`, first.detail, [], false, [], body);
  }
}

/** `names` are those of the template's parameters from left to right. */
export function judgePath({ parameters, showsErrors }: ParameterRules, names: readonly string[]): SyncPart {
  const placed = parameters.map((parameter) => ({ parameter, at: names.indexOf(parameter.name) }));
  return ({ params }) => {
    const faults = new ParameterFaults("path");
    for (const { parameter, at } of placed) {
      const value = params[at];
      faults.judge(parameter, value === undefined ? [] : [decodeSegment(value)]);
    }
    return faults.verdict(showsErrors);
  };
}

/** `credentials`: parameters that do not reach the service, so that nothing is asked of them. */
export function judgeQuery(
  { parameters, showsErrors, place }: ParameterRules,
  refuseUnknown: boolean,
  credentials: ReadonlySet<string> = NO_NAMES,
): SyncPart {
  const declared = new DeclaredNames(parameters.map(({ name }) => name));
  const unknown = [{ pointer: "", keyword: "unknownQuery", detail: UNKNOWN, seen: "unknown", place }];
  return ({ target }) => {
    const query = credentials.size === 0 ? target.query : withoutParameters(target.query, credentials);
    const parsed = parseForm(query.slice(1), declared);
    const faults = new ParameterFaults("query");
    if (!parsed.ok) {
      const seen = excerpt(parsed.error);
      const detail = `expected a query that all services read alike, not one with ${seen}`;
      faults.add(null, [{ pointer: "", keyword: "query", detail, seen, place }]);
      return faults.verdict(showsErrors);
    }
    for (const parameter of parameters) faults.judge(parameter, parsed.value.get(parameter.name) ?? NONE);
    if (refuseUnknown) for (const name of parsed.value.keys()) if (!declared.has(name)) faults.add(name, unknown);
    return faults.verdict(showsErrors);
  };
}

const UNKNOWN = "no parameter of this name is expected";
const NONE: readonly string[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

export function judgeHeaders({ parameters, showsErrors, place }: ParameterRules): SyncPart {
  const fault = (keyword: string, detail: string, seen: string) => [{ pointer: "", keyword, detail, seen, place }];
  const byConnection = fault("connection", "expected a header that Connection does not name", "named by Connection");
  const respelled = fault("spelling", "expected this header in no other spelling, as with _", "in another spelling");
  return ({ headers }) => {
    const named = namedByConnection(headers);
    const faults = new ParameterFaults("header");
    for (const parameter of parameters) {
      const { name } = parameter;
      // It would be judged here and then be taken off on the way to the service.
      if (named?.has(name) === true) faults.add(name, byConnection);
      else if (isRespelled(headers, name)) faults.add(name, respelled);
      else faults.judge(parameter, valuesOf(headers, name));
    }
    return faults.verdict(showsErrors);
  };
}

function valuesOf({ names, values }: HeaderBlock, name: string): readonly string[] {
  return values.filter((_, at) => names[at] === name);
}

/** CGI, WSGI, PHP and Rack read X_Tenant as X-Tenant: the one would be judged and the other be believed. */
export function isRespelled({ names }: HeaderBlock, name: string): boolean {
  const canonical = canonicalName(name);
  return names.some((other) => other !== name && other.length === name.length && canonicalName(other) === canonical);
}

export function placeText({ place }: { readonly place: Pick<Place, "file" | "line" | "column"> }): string {
  return `${place.file}:${place.line}:${place.column}`;
}

import { decodeStrictly, parseEscapedForm } from "../../bodies/form.ts";
import { DeclaredNames, oneStepInto, respelledCookie, stepsInto } from "../../bodies/names.ts";
import {
  type EscapedValues,
  isSpreadObject,
  readCookieStyle,
  readHeaderStyle,
  readPathStyle,
  readQueryStyle,
} from "../../bodies/parameter-styles.ts";
import { type SegmentShape, segmentReadings } from "../../bodies/segment-parts.ts";
import type { Place, Verdict } from "../../decision/verdict.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import { cookieNames, cookieValues, isCookieDisguised } from "../../message/cookies.ts";
import type { Exchange } from "../../message/exchange.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { withoutParameters } from "../../message/query.ts";
import { canonicalName } from "../../message/reserved-names.ts";
import { decodeSegment } from "../../message/target.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";
import { excerpt } from "../../support/excerpt.ts";
import { ok } from "../../support/result.ts";
import { cookieReadings } from "./cookie-readings.ts";
import { judgeDeep, sentOf } from "./deep-values.ts";
import { hasCommas, judgedValues } from "./escaped-commas.ts";
import { ParameterFaults } from "./parameter-faults.ts";
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

/** A segment that is more than one parameter. */
export interface SegmentRules {
  /** Of the template's parameter that takes all of it. */
  readonly name: string;
  readonly template: string;
  readonly shape: SegmentShape;
  /** In the order of the segment's names; null where nothing is said of one. */
  readonly parameters: readonly (Parameter | null)[];
  readonly place: Place;
}

/** `names` are those of the template's parameters from left to right. */
export function judgePath(
  { parameters, showsErrors }: ParameterRules,
  names: readonly string[],
  segments: readonly SegmentRules[],
): SyncPart {
  const parted = segments.map((segment) => ({ segment, at: names.indexOf(segment.name) }));
  const placed = parameters.map((parameter) => ({ parameter, at: names.indexOf(parameter.name) }));
  return ({ params }) => {
    const faults = new ParameterFaults("path");
    for (const { parameter, at } of placed) {
      const value = params[at];
      const readings = value === undefined ? ok(null) : readPathStyle(parameter.styled, value);
      faults.add(parameter.name, judgeParameter(parameter, readings));
    }
    for (const { segment, at } of parted) judgeSegment(segment, params[at] ?? "", faults);
    return faults.verdict(showsErrors);
  };
}

/** Good is what every reading takes for good: nobody knows where the service parts it. */
function judgeSegment(
  { name, template, shape, parameters, place }: SegmentRules,
  escaped: string,
  faults: ParameterFaults,
): void {
  const readings = segmentReadings(decodeSegment(escaped), shape);
  if (readings === null || readings.length === 0) {
    const seen = readings === null ? "a segment with too many readings" : "another segment";
    faults.add(name, [{ pointer: "", keyword: "segment", detail: `expected a segment like ${template}`, seen, place }]);
    return;
  }
  for (const reading of readings) {
    let isGood = true;
    for (const [index, parameter] of parameters.entries()) {
      if (parameter === null) continue;
      // It is decoded, and its style decodes once more.
      const value = (reading[index] ?? "").replaceAll("%", "%25");
      const found = judgeParameter(parameter, readPathStyle(parameter.styled, value));
      isGood &&= found.length === 0;
      faults.add(parameter.name, found);
    }
    if (!isGood) return;
  }
}

/** Parameters of a query whose value is in several pairs, and which pairs those are. */
export class QueryNames {
  readonly declared: DeclaredNames;
  readonly #deep: ReadonlyMap<string, Parameter>;
  /** All names that no other parameter has are members of this one: an object of the style `form`, exploded. */
  readonly #open: Parameter | null;

  constructor(parameters: readonly Parameter[]) {
    const deep = parameters.filter(isDeep);
    const names = parameters.flatMap((parameter) => {
      if (isDeep(parameter)) return [];
      return hasOwnNames(parameter) ? parameter.styled.properties : [parameter.name];
    });
    const namesOf = (own: readonly Parameter[]): string[] => own.map(({ name }) => name);
    const nested = deep.filter(({ isNested }) => isNested);
    this.declared = new DeclaredNames(names, namesOf(deep.filter(({ isNested }) => !isNested)), namesOf(nested));
    this.#deep = new Map(deep.map((parameter) => [parameter.name, parameter]));
    this.#open = parameters.find((parameter) => hasOwnNames(parameter) && parameter.types.namesOthers) ?? null;
  }

  isUnknown(name: string): boolean {
    const [owner = "", steps = []] = this.#deep.size === 0 ? [] : (stepsInto(name) ?? []);
    const parameter = this.#deep.get(owner);
    if (parameter !== undefined) return isUndeclared(parameter.types, steps);
    return this.#open === null && !this.declared.has(name);
  }

  /** The parameter with all members that this query has of it. */
  styledIn(query: EscapedValues, { styled, ...parameter }: Parameter): Parameter["styled"] {
    const { name, style } = styled;
    if (style === "deepObject") {
      const steps = [...query.keys()].flatMap((sent) => {
        const step = oneStepInto(sent);
        return step?.[0] === name ? [step[1]] : [];
      });
      return { ...styled, properties: steps };
    }
    if (this.#open === null || this.#open.name !== parameter.name) return styled;
    const others = [...query.keys()].filter((sent) => !this.declared.has(sent));
    return { ...styled, properties: [...styled.properties, ...others] };
  }
}

function isDeep({ styled }: Parameter): boolean {
  return styled.style === "deepObject";
}

/** Whether steps lead into an object that declares members, and says nothing of one that is called so. */
function isUndeclared(types: TextTypes, steps: readonly string[]): boolean {
  let inner = types;
  for (const step of steps) {
    const isItem = (inner.types & TYPE.array) !== 0 && /^\d*$/.test(step);
    if (!isItem && (inner.names.length === 0 || inner.namesOthers)) return false;
    if (!isItem && !inner.names.includes(step)) return true;
    inner = isItem ? inner.item(Number(step)) : inner.member(step);
  }
  return false;
}

function hasOwnNames({ styled, isJson }: Parameter): boolean {
  return !isJson && isSpreadObject(styled);
}

/** `credentials`: parameters that do not reach the service, so that nothing is asked of them. */
export function judgeQuery(
  { parameters, showsErrors, place }: ParameterRules,
  refuseUnknown: boolean,
  credentials: ReadonlySet<string> = NO_NAMES,
): SyncPart {
  const names = new QueryNames(parameters);
  const unknown = [{ pointer: "", keyword: "unknownQuery", detail: UNKNOWN, seen: "unknown", place }];
  const isPlain = (parameter: Parameter): boolean => !isDeep(parameter) && !hasOwnNames(parameter);
  return ({ target }) => {
    const query = credentials.size === 0 ? target.query : withoutParameters(target.query, credentials);
    const parsed = parseEscapedForm(query.slice(1), names.declared);
    const faults = new ParameterFaults("query");
    if (!parsed.ok) {
      const seen = excerpt(parsed.error);
      const detail = `expected a query that all services read alike, not one with ${seen}`;
      faults.add(null, [{ pointer: "", keyword: "query", detail, seen, place }]);
      return faults.verdict(showsErrors);
    }
    for (const parameter of parameters) {
      if (parameter.isNested) {
        faults.add(parameter.name, judgeNested(parameter, parsed.value));
        continue;
      }
      const styled = isPlain(parameter) ? parameter.styled : names.styledIn(parsed.value, parameter);
      const values = hasCommas(parameter) ? judgedValues(parameter, parsed.value) : parsed.value;
      const readings = readQueryStyle(styled, values);
      // An object without members is written as nothing.
      const isEmpty = parameter.required && hasOwnNames(parameter) && readings.ok && readings.value === null;
      faults.add(parameter.name, judgeParameter(parameter, isEmpty ? NO_MEMBERS : readings));
    }
    if (refuseUnknown) for (const name of parsed.value.keys()) if (names.isUnknown(name)) faults.add(name, unknown);
    return faults.verdict(showsErrors);
  };
}

/** Names have been decoded, values not. */
function judgeNested(parameter: Parameter, query: EscapedValues): readonly ParameterFault[] {
  const texts = [...sentOf(parameter.name, query)].map(([name, values]) => {
    return [name, values.map((value) => decodeStrictly(value) ?? "")] as const;
  });
  return judgeDeep(parameter, new Map(texts));
}

const NO_MEMBERS = ok([new Map<string, string>()]);
const UNKNOWN = "no parameter of this name is expected";
const NO_NAMES: ReadonlySet<string> = new Set();

export function judgeHeaders({ parameters, showsErrors, place }: ParameterRules): SyncPart {
  const byConnection = faultIn(place, "connection", NOT_NAMED, "named by Connection");
  const respelled = faultIn(place, "spelling", "expected this header in no other spelling, as with _", RESPELLED);
  return ({ headers }) => {
    const named = namedByConnection(headers);
    const faults = new ParameterFaults("header");
    for (const parameter of parameters) {
      const { name, styled } = parameter;
      // It would be judged here and then be taken off on the way to the service.
      if (named?.has(name) === true) faults.add(name, byConnection);
      else if (isRespelled(headers, name)) faults.add(name, respelled);
      else faults.add(name, judgeParameter(parameter, readHeaderStyle(styled, valuesOf(headers, name))));
    }
    return faults.verdict(showsErrors);
  };
}

const NOT_NAMED = "expected a header that Connection does not name";
const RESPELLED = "in another spelling";

function faultIn(place: Place, keyword: string, detail: string, seen: string): readonly ParameterFault[] {
  return [{ pointer: "", keyword, detail, seen, place }];
}

/** Cookies that no parameter declares pass: browsers bring those of others, too. */
export function judgeCookies({ parameters, showsErrors, place }: ParameterRules): SyncPart {
  const declared = new Set(parameters.map(({ name }) => name));
  const respelled = faultIn(place, "spelling", "expected this cookie in no other spelling", RESPELLED);
  return ({ headers }) => {
    const faults = new ParameterFaults("cookie");
    const sent = new Set(cookieNames(headers).map((name) => respelledCookie(name, declared)));
    for (const parameter of parameters) {
      const { name, styled } = parameter;
      if (sent.has(name) || isCookieDisguised(headers, name)) faults.add(name, respelled);
      else faults.add(name, judgeParameter(parameter, readingsOf(cookieValues(headers, name), styled)));
    }
    return faults.verdict(showsErrors);
  };
}

function readingsOf(values: readonly string[], styled: Parameter["styled"]): ReturnType<typeof readCookieStyle> {
  return cookieReadings(values, (texts) => readCookieStyle(styled, texts));
}

function valuesOf({ names, values }: HeaderBlock, name: string): readonly string[] {
  return values.filter((_, at) => names[at] === name);
}

/** CGI, WSGI, PHP and Rack read X_Tenant as X-Tenant: the one would be judged and the other be believed. */
export function isRespelled({ names }: HeaderBlock, name: string): boolean {
  const canonical = canonicalName(name);
  return names.some((other) => other !== name && other.length === name.length && canonicalName(other) === canonical);
}

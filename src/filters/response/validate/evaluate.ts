import { type BodyFormat, bodyFormatOf } from "../../../bodies/answer-format.ts";
import type { MediaRanges } from "../../../bodies/media-ranges.ts";
import { hasItems, isText, mediaTypeOf } from "../../../bodies/media-type.ts";
import { readHeaderStyle } from "../../../bodies/parameter-styles.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { Answer } from "../../../message/answer.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { HeaderBlock } from "../../../message/headers.ts";
import { excerpt } from "../../../support/excerpt.ts";
import type { AnswerReading, BodyRule } from "../../response-check.ts";
import { ParameterFaults } from "../../validate/parameter-faults.ts";
import { judgeParameter, type Parameter } from "../../validate/parameters.ts";
import { type BodyContract, judgeWhole } from "./body.ts";
import { type ItemContract, judgeItems } from "./items.ts";
import { invalid, unreadable } from "./verdicts.ts";

/** What bodies of one media type or range have to be; null for anything. */
export interface DeclaredContent {
  readonly body: BodyContract | null;
  readonly items: ItemContract | null;
}

/** One declared answer, compiled. */
export interface DeclaredAnswer {
  readonly headers: readonly Parameter[];
  readonly ranges: MediaRanges;
  /** In the order of the ranges; null where nothing is said of bodies. */
  readonly content: readonly DeclaredContent[] | null;
  readonly contentPlace: Place;
}

export interface ContractRules {
  /** By status, range (`4XX`) and `default`. */
  readonly answers: ReadonlyMap<string, DeclaredAnswer>;
  /** Why an answer of another status is refused; null where it passes. */
  undeclared(status: number): Denial | null;
  readonly reading: AnswerReading;
}

/** The nearest that is declared: the status itself, its range, `default`. */
function declaredFor(status: number, { answers }: ContractRules): DeclaredAnswer | null {
  return answers.get(String(status)) ?? answers.get(`${Math.floor(status / 100)}XX`) ?? answers.get("default") ?? null;
}

/** What comes before an answer is none, and a 304 stands for one that the client has. */
function isJudged(status: number): boolean {
  return status >= 200 && status !== 304;
}

export function judgeAnswerHead(answer: Answer, rules: ContractRules): Verdict {
  const { status, headers } = answer;
  if (!isJudged(status)) return CONTINUE;
  const declared = declaredFor(status, rules);
  if (declared === null) return rules.undeclared(status);
  return judgeHeaders(headers, declared) ?? judgeType(answer, declared, rules);
}

function judgeHeaders({ names, values }: HeaderBlock, { headers }: DeclaredAnswer): Verdict {
  if (headers.length === 0) return CONTINUE;
  const faults = new ParameterFaults("header");
  for (const parameter of headers) {
    const lines = values.filter((_, at) => names[at] === parameter.name);
    faults.add(parameter.name, judgeParameter(parameter, readHeaderStyle(parameter.styled, lines)));
  }
  const verdict = faults.verdict(false);
  if (verdict === CONTINUE) return CONTINUE;
  const { place, seen, wanted, body } = verdict;
  return new Denial("response_invalid", place, seen, wanted, [], false, [], body);
}

function judgeType(
  { headers, hasBody, status }: Answer,
  { ranges, content, contentPlace }: DeclaredAnswer,
  rules: ContractRules,
): Verdict {
  if (content === null) return CONTINUE;
  const wanted = ranges.texts.join(", ");
  const text = headers.get("content-type");
  if (headers.count("content-type") > 1) return invalid(contentPlace, `${status} of two content types`, wanted);
  if (text === undefined) {
    const mayBeEmpty = !hasBody || headers.get("content-length") === "0";
    return mayBeEmpty ? CONTINUE : invalid(contentPlace, `${status} without a content type`, wanted);
  }
  const format = bodyFormatOf(text);
  const type = mediaTypeOf(text)?.type ?? "";
  const own = format === null ? undefined : content[ranges.positionOf(type) ?? -1];
  if (format === null || own === undefined)
    return invalid(contentPlace, `${status} of content type ${excerpt(text)}`, wanted);
  if (own.body === null && own.items === null) return CONTINUE;
  if (format.charset === null) return unreadable(contentPlace, `charset of ${excerpt(text)}`, "UTF-8", rules.reading);
  const isKnown = own.body === null ? hasItems(type) : format.kind === "json" || isText(type);
  if (isKnown) return CONTINUE;
  return invalid(contentPlace, `${status} of content type ${excerpt(text)}, which no schema can look into`, wanted);
}

/** Behind `judgeAnswerHead`, which has seen to it that the body has a declared type. */
export function judgeAnswerBody(
  exchange: Exchange,
  { status, headers }: Answer,
  rules: ContractRules,
): BodyRule | null {
  const declared = isJudged(status) ? declaredFor(status, rules) : null;
  if (declared === null || declared.content === null) return null;
  const text = headers.get("content-type");
  const format = bodyFormatOf(text);
  const type = text === undefined ? "" : (mediaTypeOf(text)?.type ?? "");
  const own = text === undefined ? firstJudged(declared) : declared.content[declared.ranges.positionOf(type) ?? -1];
  if (own === undefined || format === null || format.charset === null) return null;
  return ruleOf(own, type, format, rules.reading, exchange);
}

/** A body that is empty has no type, and is none of those that are declared. */
function firstJudged({ content }: DeclaredAnswer): DeclaredContent | undefined {
  return content?.find(({ body }) => body !== null);
}

function ruleOf(
  { body, items }: DeclaredContent,
  type: string,
  format: BodyFormat,
  reading: AnswerReading,
  exchange: Exchange,
): BodyRule | null {
  if (items !== null) return judgeItems(items, type, reading, exchange);
  return body === null ? null : judgeWhole(body, isText(type), format, reading, exchange);
}

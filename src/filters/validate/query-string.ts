import { decodeStrictly, parseForm } from "../../bodies/form.ts";
import { parseJson } from "../../bodies/json.ts";
import { DeclaredNames } from "../../bodies/names.ts";
import type { Place } from "../../decision/verdict.ts";
import { withoutParameters } from "../../message/query.ts";
import { pointerToken } from "../../schema/document.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { excerpt } from "../../support/excerpt.ts";
import { err, type Result } from "../../support/result.ts";
import type { ParameterValidator } from "./engine.ts";
import { formObject } from "./form-object.ts";
import { ParameterFaults } from "./parameter-faults.ts";
import type { SyncPart } from "./parameter-parts.ts";
import { ONE_VALUE } from "./parameters.ts";

/** A query that is one value as a whole: a form, or JSON (OpenAPI 3.2, `in: querystring`). */
export interface QueryStringRules {
  readonly isJson: boolean;
  readonly required: boolean;
  readonly types: TextTypes;
  readonly validate: ParameterValidator;
  /** Parameters that do not reach the service. */
  readonly credentials: ReadonlySet<string>;
  placeOf(keyword: string): Place;
}

export function judgeQueryString(rules: QueryStringRules, showsErrors: boolean): SyncPart {
  const { credentials, required, validate, placeOf } = rules;
  const declared = new DeclaredNames(rules.isJson ? [] : rules.types.names);
  return ({ target }) => {
    const query = credentials.size === 0 ? target.query : withoutParameters(target.query, credentials);
    const faults = new ParameterFaults("query");
    const add = (pointer: string, keyword: string, detail: string, seen: string): void =>
      faults.add(null, [{ pointer, keyword, detail, seen, place: placeOf(keyword) }]);
    if (query.length <= 1) {
      if (required) add("", "required", "expected a query", "missing");
      return faults.verdict(showsErrors);
    }
    const value = readQuery(query.slice(1), rules, declared);
    const found: readonly QueryFault[] = value.ok ? (validate(value.value) ?? []) : [value.error];
    for (const { pointer, keyword, detail, seen = `${pointer || "/"} ${keyword}` } of found)
      add(pointer, keyword, detail, seen);
    return faults.verdict(showsErrors);
  };
}

interface QueryFault {
  readonly pointer: string;
  readonly keyword: string;
  readonly detail: string;
  /** For the log; absent where place and keyword say it. */
  readonly seen?: string;
}

function readQuery(
  text: string,
  { isJson, types }: QueryStringRules,
  declared: DeclaredNames,
): Result<unknown, QueryFault> {
  if (isJson) {
    const decoded = decodeStrictly(text);
    if (decoded === null) return unclear("an escape that is no UTF-8");
    const parsed = parseJson(Buffer.from(decoded));
    return parsed.ok ? parsed : unclear(`content that is ${parsed.error}`);
  }
  const values = parseForm(text, declared);
  if (!values.ok) return unclear(excerpt(values.error));
  const object = formObject(values.value, types);
  return object.ok ? object : sentTwice(excerpt(object.error));
}

function unclear(seen: string): Result<never, QueryFault> {
  const detail = `expected a query that all services read alike, not one with ${seen}`;
  return err({ pointer: "", keyword: "query", detail, seen });
}

function sentTwice(name: string): Result<never, QueryFault> {
  return err({ pointer: `/${pointerToken(name)}`, keyword: "type", detail: ONE_VALUE, seen: `${name} sent twice` });
}

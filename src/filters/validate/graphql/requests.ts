import { type FormValues, parseForm } from "../../../bodies/form.ts";
import { REQUEST_MEMBERS, requestOf } from "../../../bodies/graphql/request.ts";
import { parseJson, parseJsonInSteps } from "../../../bodies/json.ts";
import { DeclaredNames } from "../../../bodies/names.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { err, ok, type Result } from "../../../support/result.ts";
import type { Steps } from "../../../support/turns.ts";
import { type GraphqlRules, invalid, judgeRequest, type Spent } from "./evaluate.ts";

const NAMES = new DeclaredNames(REQUEST_MEMBERS);

/** A body of JSON: one request, or a list of them. */
export function* judgeJson(bytes: Buffer, rules: GraphqlRules): Steps<Verdict> {
  const parsed = yield* parseJsonInSteps(bytes);
  if (!parsed.ok) return invalid(rules, `no JSON: ${parsed.error}`);
  const { value } = parsed;
  const spent: Spent = { aliases: 0, complexity: 0 };
  if (!Array.isArray(value)) return yield* judgeValue(value, spent, rules, "");
  if (value.length === 0) return invalid(rules, "an empty list");
  if (value.length > rules.batchMax) {
    const wanted = rules.batchMax === 0 ? "one request, no list" : `at most ${rules.batchMax} requests`;
    return new Denial("graphql_too_costly", rules.placeOf("batch"), `a list of ${value.length} requests`, wanted);
  }
  for (const [at, one] of value.entries()) {
    const verdict = yield* judgeValue(one, spent, rules, `/${at}`);
    if (verdict !== CONTINUE) return verdict;
    yield;
  }
  return CONTINUE;
}

function* judgeValue(value: unknown, spent: Spent, rules: GraphqlRules, at: string): Steps<Verdict> {
  const request = requestOf(value);
  return request.ok ? yield* judgeRequest(request.value, false, spent, rules, at) : invalid(rules, request.error, at);
}

/** A GET: the request stands in the query. */
export function* judgeQuery(exchange: Exchange, rules: GraphqlRules): Steps<Verdict> {
  if (exchange.body.announcedBytes !== 0) return invalid(rules, "a GET with a body");
  const parsed = parseForm(exchange.target.query.slice(1), NAMES);
  if (!parsed.ok) return invalid(rules, excerpt(parsed.error));
  const value = requestValueOf(parsed.value);
  if (!value.ok) return invalid(rules, value.error);
  const request = requestOf(value.value);
  if (!request.ok) return invalid(rules, request.error);
  return yield* judgeRequest(request.value, true, { aliases: 0, complexity: 0 }, rules, "");
}

/** What of a POST stands in its query would count before its body for some services. */
export function judgePostQuery(exchange: Exchange, rules: GraphqlRules): Verdict {
  if (exchange.target.query.length <= 1) return CONTINUE;
  const parsed = parseForm(exchange.target.query.slice(1), NAMES);
  if (!parsed.ok) return invalid(rules, excerpt(parsed.error));
  const name = REQUEST_MEMBERS.find((member) => parsed.value.has(member));
  return name === undefined ? CONTINUE : invalid(rules, `${name} in the query of a POST`);
}

function requestValueOf(values: FormValues): Result<Record<string, unknown>, string> {
  const value: Record<string, unknown> = {};
  for (const name of REQUEST_MEMBERS) {
    const texts = values.get(name);
    if (texts === undefined) continue;
    const [text = ""] = texts;
    if (texts.length !== 1) return err(`${name} sent twice`);
    if (name !== "variables" && name !== "extensions") value[name] = text;
    else if (text !== "") {
      const parsed = parseJson(Buffer.from(text));
      if (!parsed.ok) return err(`${name} that are no JSON: ${parsed.error}`);
      value[name] = parsed.value;
    }
  }
  return ok(value);
}

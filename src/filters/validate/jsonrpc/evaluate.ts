import { parseForm } from "../../../bodies/form.ts";
import { parseJson, parseJsonInTurns } from "../../../bodies/json.ts";
import { callIdsOf, type RpcCall, rpcCallOf } from "../../../bodies/json-rpc.ts";
import { DeclaredNames } from "../../../bodies/names.ts";
import { CONTINUE, type Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { CallIds, Exchange } from "../../../message/exchange.ts";
import type { Judgement, Validator } from "../../../schema/judge/validator.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { err, ok, type Result } from "../../../support/result.ts";
import { verdictOf } from "../evaluate.ts";
import { type HoldRules, judgeHeld, judgeInLine, type Part } from "../held-body.ts";
import { languageDenial, unclear } from "../language-denial.ts";

/** What a route lets JSON-RPC bodies have. */
export interface JsonRpcRules {
  readonly hold: HoldRules;
  allows(method: string): boolean;
  readonly notifications: boolean;
  /** 0 where a body may be no list. */
  readonly batchMax: number;
  readonly params: ReadonlyMap<string, ParamsRule>;
  readonly keepsValue: boolean;
  readonly showsErrors: boolean;
  placeOf(key: string): Place;
}

export interface ParamsRule {
  readonly validator: Validator;
  readonly place: Place;
}

interface Due extends ParamsRule {
  readonly value: unknown;
  /** Of the params in the body. */
  readonly pointer: string;
}

const NO_CALLS: CallIds = { isJson: false, isBatch: false, ids: [] };

const NAMES = new DeclaredNames(["jsonrpc", "method", "params"]);

export function judgeJsonRpc(rules: JsonRpcRules): Part {
  const { hold, params } = rules;
  const atOnceBytesMax = Math.min(
    DEFAULTS.bodyAtOnceBytesMax,
    ...[...params.values()].map(({ validator }) => validator.atOnceBytesMax),
  );
  const judgeBody = judgeHeld(hold, (bytes, exchange) => {
    if (bytes.length > atOnceBytesMax) return judgeLong(bytes, exchange, rules);
    const due = dueOf(parseJson(bytes), exchange, rules);
    if (!due.ok) return due.error;
    for (const one of due.value) {
      const judgement = one.validator.judge(one.value, DEFAULTS.patternWorkAtOnceMax);
      if (one.validator.gaveUp(judgement)) return judgeLong(bytes, exchange, rules);
      const verdict = paramsVerdict(judgement, one, rules);
      if (verdict !== CONTINUE) return verdict;
    }
    return CONTINUE;
  });
  return (exchange) => {
    const verdict = judgeUrl(exchange, rules);
    // Streams of answers are opened by a GET without a body, and ended by a DELETE.
    if (verdict !== CONTINUE || (exchange.method !== "POST" && exchange.body.announcedBytes === 0)) return verdict;
    return judgeBody(exchange);
  };
}

function judgeLong(bytes: Buffer, exchange: Exchange, rules: JsonRpcRules): Promise<Verdict> {
  return judgeInLine(exchange, rules.hold, bytes.length, async (turns) => {
    const due = dueOf(await parseJsonInTurns(bytes, turns()), exchange, rules);
    if (!due.ok) return due.error;
    for (const one of due.value) {
      const verdict = paramsVerdict(await one.validator.judgeInTurns(one.value, turns()), one, rules);
      if (verdict !== CONTINUE) return verdict;
    }
    return CONTINUE;
  });
}

/** Some services also take calls from the query. */
function judgeUrl({ target }: Exchange, rules: JsonRpcRules): Verdict {
  if (target.query.length <= 1) return CONTINUE;
  const parsed = parseForm(target.query.slice(1), NAMES);
  if (!parsed.ok) return invalid(rules, excerpt(parsed.error), "");
  return parsed.value.has("method") || parsed.value.has("params") || parsed.value.has("jsonrpc")
    ? invalid(rules, "a call in the query", "")
    : CONTINUE;
}

/** What of the body's calls is still to be judged by schemas, or why it is refused. */
function dueOf(
  parsed: Result<unknown, string>,
  exchange: Exchange,
  rules: JsonRpcRules,
): Result<readonly Due[], Denial> {
  if (!parsed.ok) exchange.callIds = NO_CALLS;
  if (!parsed.ok) return err(invalid(rules, `no JSON: ${parsed.error}`, ""));
  const { value } = parsed;
  if (rules.keepsValue) exchange.bodyValue = value;
  const isBatch = Array.isArray(value) && value.length > 0 && value.length <= rules.batchMax;
  exchange.callIds = { isJson: true, isBatch, ids: isBatch || !Array.isArray(value) ? callIdsOf(value) : [] };
  if (Array.isArray(value) && (value.length === 0 || value.length > rules.batchMax))
    return err(
      languageDenial(rules, "jsonrpc_invalid", "batch", `a list of ${value.length} calls`, batchText(rules), ""),
    );
  const due: Due[] = [];
  for (const [at, one] of (Array.isArray(value) ? value : [value]).entries()) {
    const pointer = Array.isArray(value) ? `/${at}` : "";
    const call = rpcCallOf(one);
    if (!call.ok) return err(invalid(rules, call.error, pointer));
    const verdict = judgeCall(call.value, rules, pointer);
    if (verdict !== null) return err(verdict);
    const rule = rules.params.get(call.value.method);
    if (rule !== undefined) due.push({ ...rule, value: call.value.params ?? {}, pointer: `${pointer}/params` });
  }
  return ok(due);
}

function batchText({ batchMax }: JsonRpcRules): string {
  return batchMax === 0 ? "one call, no list" : `1 to ${batchMax} calls`;
}

function judgeCall({ method, isNotification }: RpcCall, rules: JsonRpcRules, at: string): Denial | null {
  if (!rules.allows(method))
    return languageDenial(
      rules,
      "jsonrpc_method_denied",
      "methods",
      `method ${excerpt(method)}`,
      "a method that is allowed",
      at,
    );
  if (isNotification && !rules.notifications)
    return languageDenial(rules, "jsonrpc_method_denied", "notifications", "a notification", "a call with an id", at);
  return null;
}

function paramsVerdict(judgement: Judgement, { pointer, place }: Due, { showsErrors }: JsonRpcRules): Verdict {
  const placed = judgement?.map((fault) => ({ ...fault, pointer: `${pointer}${fault.pointer}` })) ?? null;
  return verdictOf(placed, { showsErrors, place });
}

function invalid(rules: JsonRpcRules, seen: string, at: string): Denial {
  return unclear(rules, "jsonrpc_invalid", "jsonrpc", seen, "a JSON-RPC 2.0 call that all services read alike", at);
}

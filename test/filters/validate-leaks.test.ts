// Goal: what a service must not get to see, or to log, is refused wherever it stands in a request.
import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, Denial, type Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { compileFilter, createExchange, MemoryBody, type RequestOptions } from "../fixtures/route-context.ts";
import { SAMPLES } from "../leaks/samples.ts";

beforeAll(async () => {
  await validateFilter.prepare?.({});
  for (const load of Object.values(validateFilter.parts ?? {})) await load();
});

const CARD = "4111111111111111";
const KEY = SAMPLES.find(({ kind }) => kind === "github-token")?.text ?? "";
const LEAKS = { cards: "block", vendorKeys: "block", emails: "observe" };

const told = (verdict: Verdict): string => (verdict === CONTINUE ? "passes" : `${verdict.reason}: ${verdict.seen}`);

function checkOf(settings: object) {
  const { checks, problems } = compileFilter(validateFilter, settings);
  expect(problems).toEqual([]);
  const check = checks.at(-1);
  if (check === undefined) throw new Error("no check");
  return check;
}

/** As the pipeline has it: the check, and then its watch while the body streams, byte by byte. */
async function judge(exchange: Exchange, settings: object = { leaks: LEAKS }, body = ""): Promise<string> {
  const check = checkOf(settings);
  const verdict = await check.evaluate(exchange);
  if (verdict !== CONTINUE || exchange.collectedBody !== null) return told(verdict);
  const watch = check.watch?.(exchange) ?? null;
  let staying = 0;
  for (const byte of Buffer.from(body, "latin1")) {
    const judged = (await watch?.scan(Buffer.from([byte]))) ?? 0;
    if (judged instanceof Denial) return told(judged);
    expect(judged).toBeLessThanOrEqual(staying + 1);
    staying = judged;
  }
  return told((await watch?.end()) ?? CONTINUE);
}

const request = (options: RequestOptions): Exchange => createExchange({ method: "POST", ...options });

describe("the target and the headers", () => {
  test.each([
    [{ query: `?a=1&pan=${CARD}` }, "request_leak: card-visa in pan"],
    [{ query: "?a=1&pan=%34111%20111111111111" }, "passes"],
    [{ query: "?a=1&pan=%3411+1111".replace("+1111", "1+1111+1111+1111") }, "request_leak: card-visa in pan"],
    [{ query: `?a=${CARD}x` }, "passes"],
    [{ path: `/v1/cards/${CARD}` }, "request_leak: card-visa in path"],
    [{ headers: [["x-token", KEY]] }, "request_leak: github-token in x-token"],
    [{ headers: [["authorization", `Bearer ${KEY}`]] }, "passes"],
    [{ headers: [["cookie", `card=${CARD}`]] }, "passes"],
  ] as const)("%j", async (options, expected) => {
    expect(await judge(request(options))).toBe(expected);
  });

  test("a name that is allowed may have it", async () => {
    const settings = { leaks: { ...LEAKS, allow: ["PAN", "X-Token"] } };
    const headers = [["x-token", KEY]] as const;
    expect(await judge(request({ query: `?pan=${CARD}`, headers }), settings)).toBe("passes");
    expect(await judge(request({ query: `?pan2=${CARD}` }), settings)).toBe("request_leak: card-visa in pan2");
  });

  test("a name that is a find itself is not told", async () => {
    const exchange = request({ query: `?jane@example.org=${CARD}` });
    expect(await judge(exchange)).toBe("request_leak: card-visa in [email]");
    expect(JSON.stringify(exchange.leaks)).not.toMatch(/jane|4111/);
  });
});

describe("bodies", () => {
  const JSON_TYPE = "application/json";
  test.each([
    [JSON_TYPE, `{"a":{"b":[1,${CARD}]}}`, "request_leak: card-visa in /a/b/1"],
    [JSON_TYPE, `{"a":"4111\\u00311111111${"1".repeat(4)}"}`, "request_leak: card-visa in /a"],
    [JSON_TYPE, '{"a":"jane@example.org"}', "passes"],
    ["application/x-ndjson", `{}\n{"a":${CARD}}\n`, "request_leak: card-visa in /a"],
    ["application/x-www-form-urlencoded", `a=1&b=%34${CARD.slice(1)}`, "request_leak: card-visa"],
    ["text/plain", `see ${KEY}`, "request_leak: github-token"],
    ["multipart/form-data; boundary=x", `--x\r\n\r\n${CARD}\r\n--x--`, "request_leak: card-visa"],
    ["application/xml", `<a>&#52;${CARD.slice(1)}</a>`, "request_leak: card-visa"],
    ["image/png", CARD, "passes"],
    ["application/json; charset=utf-16", "{}", "content_type_unsupported: a charset that nobody here reads"],
    ["text/plain", "\xff\xfe4\0", "content_type_unsupported: UTF-16 or UTF-32"],
  ])("%s %s", async (type, body, expected) => {
    const options = { headers: [["content-type", type]] as const, body: new MemoryBody([body]) };
    expect(await judge(request(options), undefined, body)).toBe(expected);
    const whole = request(options);
    whole.collectedBody = Buffer.from(body, "latin1");
    expect(await judge(whole)).toBe(expected);
  });

  test("a long one that is here whole is judged in turns", async () => {
    const exchange = request({ headers: [["content-type", JSON_TYPE]] });
    exchange.collectedBody = Buffer.from(JSON.stringify({ a: "x ".repeat(400_000), b: CARD }));
    expect(await judge(exchange)).toBe("request_leak: card-visa in /b");
  });

  test("a compressed one cannot be looked into, but where nothing is refused anyway", async () => {
    const body = new MemoryBody(["\x1f\x8b"]);
    const headers = [
      ["content-type", JSON_TYPE],
      ["content-encoding", "gzip"],
    ] as const;
    expect(await judge(request({ headers, body }))).toBe("content_encoding_unsupported: content encoding gzip");
    expect(await judge(request({ headers, body }), { leaks: { cards: "observe" } })).toBe("passes");
  });

  test("what is observed passes and is noted by its field", async () => {
    const body = '{"mail":"jane@example.org"}';
    const exchange = request({ headers: [["content-type", JSON_TYPE]] });
    expect(await judge(exchange, undefined, body)).toBe("passes");
    expect(exchange.leaks?.first).toEqual([{ way: "request", kind: "email", action: "observe", field: "/mail" }]);
  });
});

test("it stands beside all that validate has, on a rung of its own", () => {
  const settings = { contentType: ["application/json"], mode: "audit", leaks: { ...LEAKS, mode: "enforce" } };
  const { checks } = compileFilter(validateFilter, settings);
  expect(checks.map(({ enforcePercent, late }) => [enforcePercent, late ?? false])).toEqual([
    [0, false],
    [100, true],
  ]);
});

test("what cannot be is told: requests are not masked", () => {
  const texts = (leaks: object) =>
    compileFilter(validateFilter, { leaks }).problems.map(
      ({ text, path }) => `${path.replace("validate.", "")}: ${text}`,
    );
  expect(texts({ cards: "mask" })).toEqual([
    "leaks.cards: the service gets a request as it came or not at all; expected observe or block",
  ]);
  expect(texts({ patterns: { own: { match: "EMP-1", action: "mask" } } })).toEqual([
    "leaks.patterns.own.action: the service gets a request as it came or not at all; expected observe or block",
  ]);
});

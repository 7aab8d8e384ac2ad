import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { HeaderBlock } from "../../src/message/headers.ts";
import { DebugHeader } from "../../src/records/debug-header.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const NOW_MS = Date.UTC(2026, 10, 1);
const debug = new DebugHeader(KEY, { wallMs: () => NOW_MS });
const denied = { id: "abcdefgh-1", route: "/orders/{id}", reason: "scope_missing", place: "/etc/é\r\nx:1:2" } as const;

function signed({ key = KEY, seconds = NOW_MS / 1000, method = "GET", path = "/orders/1" } = {}): string {
  const { host } = exchangeOf("GET", path);
  const text = `${seconds}\n${method}\n${host}\n${path}`;
  return `t=${seconds}, s=${createHmac("sha256", key).update(text).digest("hex")}`;
}

/** Answer lines of a GET of /orders/1 with these headers; the service must not get them in any case. */
function linesFor(...headers: readonly string[]): string {
  const exchange = exchangeOf("GET", "/orders/1");
  exchange.headers = new HeaderBlock(["accept", ...headers.map(() => "postern-debug")], ["*/*", ...headers]);
  debug.tell(exchange, denied);
  expect(exchange.headers.names).toEqual(["accept"]);
  return exchange.answerLines;
}

test("who signs reads the decision, in one line of visible ASCII", () => {
  expect(linesFor(signed())).toBe(
    'postern-decision: id="abcdefgh-1"; route="/orders/{id}"; verdict=deny; reason=scope_missing; place="/etc/???x:1:2"\r\n',
  );
});

test("what is allowed is told, too", () => {
  const exchange = exchangeOf("GET", "/orders/1", { "postern-debug": signed() });
  debug.tell(exchange, { ...denied, reason: null, place: null });
  expect(exchange.answerLines).toBe('postern-decision: id="abcdefgh-1"; route="/orders/{id}"; verdict=allow\r\n');
});

describe("nothing is shown", () => {
  test.each([
    ["for another key", [signed({ key: Buffer.alloc(32) })]],
    ["for another method", [signed({ method: "POST" })]],
    ["for another path", [signed({ path: "/orders/2" })]],
    ["a minute later", [signed({ seconds: NOW_MS / 1000 - 61 })]],
    ["for a time to come", [signed({ seconds: NOW_MS / 1000 + 61 })]],
    ["without a signature", ["t=1793491200"]],
    ["for a short one", ["t=1793491200, s=ab"]],
    ["for what is no header of ours", ["x".repeat(10_000)]],
    ["for two of them", [signed(), signed()]],
  ])("%s", (_, headers) => {
    expect(linesFor(...headers)).toBe("");
  });
});

test("a request without the header costs nothing and stays as it is", () => {
  const exchange = exchangeOf("GET", "/orders/1");
  const { headers } = exchange;
  debug.tell(exchange, denied);
  expect([exchange.headers === headers, exchange.answerLines]).toEqual([true, ""]);
});

import { describe, expect, test } from "vitest";
import { webSocketFilter } from "../../src/filters/websocket/compile.ts";
import { webSocketSchema } from "../../src/filters/websocket/schema.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { compileFilter, createExchange, onlyCheck } from "../fixtures/route-context.ts";

const compile = (settings: unknown) => compileFilter(webSocketFilter, settings);

function judged(settings: unknown, headers: readonly (readonly [string, string])[], secure = true): string | null {
  const exchange = createExchange({ headers, authority: "Orders.example.org", secure });
  exchange.upgrade = "upgrade";
  const verdict = onlyCheck(compile(settings)).evaluate(exchange);
  if (verdict instanceof Promise) throw new Error("a promise");
  return verdict?.reason ?? null;
}

const origin = (value: string) => [["origin", value]] as const;

test("true stands for pages of the same host, frames of 16 MiB and no end", () => {
  expect(compile(true).webSocket).toEqual({
    frameBytesMax: DEFAULTS.websocketFrameBytesMax,
    lifetimeMs: Number.POSITIVE_INFINITY,
  });
  expect(compile({ maxFrame: "1KiB", maxLifetime: "1h" }).webSocket).toEqual({
    frameBytesMax: 1024,
    lifetimeMs: 3_600_000,
  });
});

describe("without a list", () => {
  test("pages of the host that is asked pass, whatever the spelling of their port", () => {
    expect(judged(true, origin("https://orders.example.org"))).toBeNull();
    expect(judged(true, origin("https://orders.example.org:443"))).toBeNull();
    expect(judged(true, origin("http://orders.example.org"), false)).toBeNull();
  });

  const foreign: Record<string, string> = {
    "of another host": "https://evil.example",
    "of a host that ends alike": "https://evil-orders.example.org",
    "of a host that begins alike": "https://orders.example.org.evil.example",
    "of another port": "https://orders.example.org:8443",
    "of plain HTTP, which somebody on the way can write": "http://orders.example.org",
    "without an origin of its own": "null",
    "with an empty one": "",
  };
  for (const [name, value] of Object.entries(foreign)) {
    test(`a page ${name} does not`, () => expect(judged(true, origin(value))).toBe("origin_denied"));
  }

  test("who sends no Origin is no page", () => expect(judged(true, [])).toBeNull());

  test("of two Origins none counts", () => {
    const twice = [...origin("https://orders.example.org"), ...origin("https://orders.example.org")];
    expect(judged(true, twice)).toBe("origin_denied");
  });
});

test("a list is the whole list", () => {
  const settings = { origins: ["https://app.example.org", "https://dev.example.org:8443"] };
  expect(judged(settings, origin("https://app.example.org"))).toBeNull();
  expect(judged(settings, origin("https://dev.example.org:8443"))).toBeNull();
  expect(judged(settings, origin("https://orders.example.org"))).toBe("origin_denied");
  expect(judged({ origins: ["*"] }, origin("https://evil.example"))).toBeNull();
});

test("a request that asks for no WebSocket is not asked for its origin", () => {
  const exchange = createExchange({ headers: origin("https://evil.example") });
  expect(onlyCheck(compile(true)).evaluate(exchange)).toBeNull();
});

test("what is no setting is refused", () => {
  for (const settings of [
    false,
    "true",
    { origins: [] },
    { origins: ["app.example.org"] },
    { origins: ["https://app.example.org/"] },
    { maxFrame: "124B" },
    { maxLifetime: "0s" },
    { maxframe: "1MiB" },
  ]) {
    expect(webSocketSchema.safeParse(settings).success, JSON.stringify(settings)).toBe(false);
  }
});

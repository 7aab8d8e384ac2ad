import { expect, test } from "vitest";
import { createWordSink, logWords } from "../../src/telemetry/log-words.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

const at = { level: "info", time: "2026-12-01T09:30:00.125Z" };
const words = (fields: object, colour = false): string => logWords(`${JSON.stringify({ ...at, ...fields })}\n`, colour);

const denied = {
  event: "request",
  id: "GwI_4cD4-3",
  method: "GET",
  path: "/v1/orders/42",
  status: 403,
  principal: "alice",
  reason: "scope_missing",
  policy: "policy.yaml:14:91",
  seen: "scopes orders:write",
  wanted: "scopes orders:read",
  durationMs: 0.8,
};

test("a request is one line: what was asked, who asked, and why it was denied and where", () => {
  expect(words(denied)).toBe(
    "09:30:00.125 403 GET /v1/orders/42  alice  scope_missing at policy.yaml:14:91: scopes orders:write; " +
      "wanted scopes orders:read  0.8 ms  GwI_4cD4-3\n",
  );
  const served = { event: "request", id: "a-1", method: "GET", path: "/health", status: 200, durationMs: 1 };
  expect(words(served)).toBe("09:30:00.125 200 GET /health  1 ms  a-1\n");
  const audited = [{ reason: "rate_limited", policy: "p.yaml:3:1", seen: "4", wanted: "at most 3" }];
  expect(words({ ...served, audited })).toContain("  audit: rate_limited at p.yaml:3:1: 4; wanted at most 3  ");
  expect(words({ ...served, tenant: "acme", roles: ["a", "b"], upstream: "app" })).toBe(
    "09:30:00.125 200 GET /health  tenant acme  roles a, b  1 ms  a-1\n",
  );
  expect(words({ event: "request", id: "a-2", status: 400, reason: "head_malformed", durationMs: 1 })).toContain(
    " 400 - -  head_malformed  1 ms",
  );
});

test("an event is its sentence, and each problem has a line of its own", () => {
  expect(
    words({ event: "ready", msg: "ready", listeners: [{ name: "inbound", address: "127.0.0.1:8443" }], probes: null }),
  ).toBe("09:30:00.125 ready  listeners inbound 127.0.0.1:8443\n");
  const problems = ["policy.yaml:3:1: one", "policy.yaml:4:1: two"];
  expect(words({ level: "error", event: "reload", msg: "the policy has problems", result: "refused", problems })).toBe(
    "09:30:00.125 error: reload: the policy has problems\n    policy.yaml:3:1: one\n    policy.yaml:4:1: two\n",
  );
  expect(words({ level: "warn", event: "warning", msg: "policy.yaml:3:1: text" })).toBe(
    "09:30:00.125 warning: policy.yaml:3:1: text\n",
  );
  expect(words({ level: "error", event: "crash", msg: "defect", error: "Error: x\n    at y" })).toMatch(
    /error: crash: defect\n {4}Error: x\n {8}at y\n$/,
  );
});

test("nothing from outside acts on the terminal, and no line pretends to be two", () => {
  const evil = "\x1b[2J\r\nfake\u009b31m\u202e";
  for (const fields of [
    { ...denied, path: evil, principal: evil, seen: evil },
    { event: "handshake_failed", msg: "m", client: evil, list: [evil], deep: [{ a: evil }] },
  ]) {
    const text = words(fields);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  }
  expect(words({ ...denied, path: evil }).split("\n")).toHaveLength(2);
});

test("colour comes only where it is asked for", () => {
  expect(words(denied)).not.toContain("\x1b");
  expect(words(denied, true)).toContain("\x1b[33m403\x1b[0m");
});

test("a sink of words passes on all else that a sink does", async () => {
  const inner = new MemorySink();
  const sink = createWordSink(inner, false);
  sink.write(`${JSON.stringify({ ...at, event: "stopped", msg: "every request finished" })}\n`);
  sink.flush();
  sink.flushSync();
  await sink.close();
  expect(inner.raw.join("")).toBe("09:30:00.125 stopped: every request finished\n");
  expect(sink.linesDropped).toBe(inner.linesDropped);
});

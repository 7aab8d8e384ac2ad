import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { CONTINUE, type Verdict } from "../../src/decision/verdict.ts";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { type MemoryBudget, unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";

beforeAll(async () => {
  await validateFilter.prepare?.({});
  for (const load of Object.values(validateFilter.parts ?? {})) await load();
});

const SCHEMA = JSON.stringify({ type: "object", properties: { text: { maxLength: 5_000_000 } }, required: ["text"] });
const TEXT = JSON.stringify({ text: "orders ".repeat(100) });
/** Asks its reader for a window of 32 MiB. */
const WIDE = zstdCompressSync(Buffer.alloc(40 * 1024 * 1024, "abcdefg"), {
  params: { [constants.ZSTD_c_windowLog]: 25 },
});
const files = { "a.json": SCHEMA };
const body = { schema: "a.json", maxBytes: "8MiB" };

async function judge(
  bytes: Buffer,
  coding: string,
  settings: Record<string, unknown> = {},
  memory: MemoryBudget = unlimitedMemory(),
): Promise<{ verdict: Verdict; exchange: Exchange }> {
  const compiled = compileFilter(validateFilter, { body, contentEncoding: "inflate", ...settings }, { files, memory });
  const exchange = createExchange({
    method: "POST",
    headers: [
      ["content-type", "application/json"],
      ["content-encoding", coding],
      ["content-digest", "sha-256=:AAAA:"],
      ["x-kept", "1"],
    ],
    body: new MemoryBody([bytes]),
  });
  return { verdict: await onlyCheck(compiled).evaluate(exchange), exchange };
}

describe("a compressed body", () => {
  test.each([
    ["gzip", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["GZIP", gzipSync(TEXT)],
    ["gzip", Buffer.concat([gzipSync(TEXT.slice(0, 50)), gzipSync(TEXT.slice(50))])],
    ["deflate", deflateSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
    ["zstd", zstdCompressSync(TEXT)],
    ["zstd", Buffer.concat([zstdCompressSync(TEXT.slice(0, 50)), zstdCompressSync(TEXT.slice(50))])],
    ["identity", Buffer.from(TEXT)],
  ])("%s is judged, and goes on, as what it holds", async (coding, bytes) => {
    const { verdict, exchange } = await judge(bytes, coding);
    expect(verdict).toBe(CONTINUE);
    expect(exchange.collectedBody?.toString()).toBe(TEXT);
    const isCompressed = coding !== "identity";
    expect(exchange.headers.get("content-encoding")).toBe(isCompressed ? undefined : "identity");
    expect(exchange.headers.get("content-digest") === undefined).toBe(isCompressed);
    expect(exchange.headers.get("x-kept")).toBe("1");
  });

  test("is judged by its schema", async () => {
    const { verdict } = await judge(gzipSync('{"x":1}'), "gzip");
    expect(verdict).toMatchObject({ reason: "body_schema_mismatch" });
  });

  test.each<[string, string, Buffer]>([
    ["content_encoding_invalid", "gzip", Buffer.from(TEXT)],
    ["content_encoding_invalid", "gzip", gzipSync(TEXT).subarray(0, -9)],
    ["content_encoding_invalid", "deflate", Buffer.concat([deflateSync(TEXT), Buffer.from('{"text":2}')])],
    ["content_encoding_invalid", "deflate", deflateRawSync(TEXT)],
    ["content_encoding_invalid", "br", brotliCompressSync(TEXT).subarray(0, -3)],
    ["content_encoding_unsupported", "gzip, gzip", gzipSync(gzipSync(TEXT))],
    ["content_encoding_unsupported", "zip", gzipSync(TEXT)],
    ["body_inflates_too_much", "gzip", gzipSync(Buffer.alloc(4 * 1024 * 1024))],
    ["body_inflates_too_much", "br", brotliCompressSync(Buffer.alloc(4 * 1024 * 1024))],
    ["content_encoding_invalid", "zstd", zstdCompressSync(TEXT).subarray(0, -3)],
    ["content_encoding_invalid", "zstd", Buffer.concat([zstdCompressSync(TEXT), Buffer.from('{"text":2}')])],
    ["content_encoding_invalid", "zstd", WIDE],
    ["body_inflates_too_much", "zstd", zstdCompressSync(Buffer.alloc(4 * 1024 * 1024))],
    ["body_too_large", "br", brotliCompressSync(Buffer.alloc(10 * 1024 * 1024))],
  ])("%s: %s", async (reason, coding, bytes) => {
    const settings = reason === "body_too_large" ? { maxInflation: 1_000_000 } : {};
    expect((await judge(bytes, coding, settings)).verdict).toMatchObject({ reason });
  });

  test("may hold more where the policy says so", async () => {
    const text = JSON.stringify({ text: "a".repeat(4 * 1024 * 1024) });
    expect((await judge(gzipSync(text), "gzip")).verdict).toMatchObject({ reason: "body_inflates_too_much" });
    const { verdict, exchange } = await judge(gzipSync(text), "gzip", { maxInflation: 2000 });
    expect(verdict).toBe(CONTINUE);
    expect(exchange.collectedBody?.length).toBe(text.length);
  });

  test("that a check before has read whole is inflated all the same", async () => {
    const compiled = compileFilter(validateFilter, { body, contentEncoding: "inflate" }, { files });
    const exchange = createExchange({
      method: "POST",
      headers: [
        ["content-type", "application/json"],
        ["content-encoding", "gzip"],
      ],
      body: new MemoryBody([gzipSync(TEXT)]),
    });
    exchange.collectedBody = gzipSync(TEXT);
    expect(await onlyCheck(compiled).evaluate(exchange)).toBe(CONTINUE);
    expect(exchange.collectedBody?.toString()).toBe(TEXT);
  });

  test("holds its state's memory while it is read, and no longer", async () => {
    const memory = unlimitedMemory();
    const { exchange } = await judge(gzipSync(TEXT), "gzip", {}, memory);
    exchange.end();
    expect(memory.bodies.heldBytes).toBe(0);
  });

  test("is refused where the policy does not say 'inflate'", async () => {
    const { verdict } = await judge(gzipSync(TEXT), "gzip", { contentEncoding: "refuse" });
    expect(verdict).toMatchObject({ reason: "content_encoding_unsupported" });
  });

  test("has nobody who would look into it without a schema or form", () => {
    const { problems } = compileFilter(validateFilter, { contentEncoding: "inflate", body: { maxBytes: "1KiB" } }, {});
    expect(problems.map(({ text }) => text)).toEqual(["nothing looks into bodies; expected 'body.schema' or 'form'"]);
  });
});

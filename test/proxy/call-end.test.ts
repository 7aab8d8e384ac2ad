import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { frameOf } from "../../src/bodies/message-frames.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { CallEnd } from "../../src/proxy/call-end.ts";

/** How a call went, by what its answer said, cut into pieces of this size. */
function outcome(
  type: string,
  body: Buffer,
  size: number,
  more: readonly (readonly [string, string])[] = [],
): string | null {
  const lines = [["content-type", type] as const, ...more];
  const end = CallEnd.of(
    new HeaderBlock(
      lines.map(([name]) => name),
      lines.map(([, value]) => value),
    ),
  );
  if (end === null) return null;
  for (let at = 0; at < body.length; at += size) end.take(body.subarray(at, at + size));
  return end.outcome;
}

const message = frameOf(0, Buffer.alloc(70_000, 1));
const trailers = (text: string, flags = 0x80): Buffer => Buffer.concat([message, frameOf(flags, Buffer.from(text))]);
const ending = (text: string, flags = 2): Buffer => Buffer.concat([message, frameOf(flags, Buffer.from(text))]);
const gzip = (text: string, flags: number): Buffer => Buffer.concat([message, frameOf(flags, gzipSync(text))]);

describe("how a call went is read from the last frame of its answer", () => {
  test.each<[string, Buffer, string]>([
    ["application/grpc-web+proto", trailers("grpc-status: 0\r\ngrpc-message: fine\r\n"), "ok"],
    ["application/grpc-web", trailers("x-a: grpc-status: 0\r\nGrpc-Status:5\r\n"), "failed"],
    ["application/grpc-web", trailers("grpc-message: none\r\n"), "unknown"],
    ["application/grpc-web", message, "unknown"],
    ["application/grpc-web", Buffer.alloc(0), "unknown"],
    ["application/connect+json", ending("{}"), "ok"],
    ["application/connect+proto", ending('{"error":{"code":"not_found"}}'), "failed"],
    ["application/connect+proto", ending("no json"), "unknown"],
    ["application/connect+proto", ending("{}", 0), "unknown"],
  ])("%s", (type, body, wanted) => {
    for (const size of [1, 7, 65_536, body.length + 1]) expect(outcome(type, body, size)).toBe(wanted);
  });

  test("also where that is compressed, or the whole of it in base64 that is padded in the middle", () => {
    const grpc = [["grpc-encoding", "gzip"]] as const;
    const connect = [["connect-content-encoding", "gzip"]] as const;
    expect(outcome("application/grpc-web", gzip("grpc-status: 7\r\n", 0x81), 99, grpc)).toBe("failed");
    expect(outcome("application/connect+json", gzip("{}", 3), 99, connect)).toBe("ok");
    expect(outcome("application/connect+json", gzip("{}", 3), 99)).toBe("unknown");
    const parts = [message.subarray(0, 10), message.subarray(10), frameOf(0x80, Buffer.from("grpc-status: 3\r\n"))];
    const text = Buffer.from(parts.map((part) => part.toString("base64")).join(""));
    for (const size of [1, 3, 4, 1_000]) expect(outcome("application/grpc-web-text+proto", text, size)).toBe("failed");
  });

  test("a frame that is too long to be an end is passed over", () => {
    const long = `{"error":{"message":"${"x".repeat(20_000)}"}}`;
    expect(outcome("application/connect+json", ending(long), 999)).toBe("unknown");
  });

  test("of no other answer", () => {
    for (const type of ["application/grpc", "application/json", "application/proto", "text/html"])
      expect(outcome(type, message, 99)).toBeNull();
  });
});

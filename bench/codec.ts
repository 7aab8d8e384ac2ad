import { RequestReader } from "../src/http1/request-reader.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { type Lane, medians, time } from "./matcher/measure.ts";

/**
 * What it costs to read a request's head of 1 KB with ten header lines: as the first of its kind, where every line is read,
 * and as a repetition on a kept-alive connection, where the lines are those of the request before.
 */
const HEAD_BYTES = 1024;

function head(at: number): Buffer {
  const lines = [
    `GET /v1/orders/${1000 + at}?expand=lines HTTP/1.1`,
    "Host: orders.example.org",
    "User-Agent: codec-bench/1.0 (loopback; x64)",
    "Accept: application/json, text/plain;q=0.9, */*;q=0.1",
    "Accept-Encoding: gzip, deflate, br",
    "Accept-Language: en-GB,en;q=0.8,de;q=0.5",
    "Cache-Control: no-cache",
    `X-Request-Id: 5b1f0c1e-7a52-4a39-9d1c-${String(100_000_000_000 + at)}`,
    "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Cookie: session=c2Vzc2lvbg; theme=dark",
  ];
  const rest = HEAD_BYTES - lines.join("\r\n").length - "\r\nAuthorization: Bearer \r\n\r\n".length;
  lines.push(`Authorization: Bearer ${"e".repeat(rest)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

const fresh = Array.from({ length: 1024 }, (_, at) => head(at));
const same = Array.from({ length: 1024 }, () => head(0));

/** A lane that reads every head once, on a connection of its own. */
function reading(heads: readonly Buffer[]): Lane {
  const reader = new RequestReader(DEFAULTS.headBytesMax, DEFAULTS.headersCountMax);
  const work = (): number => {
    let read = 0;
    for (const buffer of heads) {
      const found = reader.read(buffer, 0);
      if (found !== null && "end" in found) read += found.end;
    }
    return read;
  };
  return () => time(work, HEAD_BYTES * heads.length, heads.length);
}

const figures = medians({ "every line new": reading(fresh), "lines of the request before": reading(same) }, 400);
for (const [name, ns] of Object.entries(figures)) console.log(`${name.padEnd(28)} ${(ns / 1000).toFixed(2)} µs`);

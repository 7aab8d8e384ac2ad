import { describe, expect, test } from "vitest";
import { requestsDiffer, responsesDiffer } from "../fuzz/compare.ts";
import { llhttpServer, readRequestsAll, readResponsesAll } from "../fuzz/llhttp.ts";
import { readRequests, readResponse } from "../fuzz/ours.ts";

/**
 * What the fuzzer has found: bytes that our codec once accepted and that llhttp refused or read otherwise. Each is now
 * refused, or ends the connection, and both sides are asked again.
 */
const memory = llhttpServer();
const POST = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const NEXT = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

describe("requests that llhttp refuses are refused", () => {
  const refused: Record<string, string> = {
    "target with a tab": "POST /\t HTTP/1.1\r\nHost: a\r\n\r\n",
    "target with a bare CR": "DELETE /\rx HTTP/1.1\r\nHost: a\r\n\r\n",
    "target with a NUL": "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
    "target with a byte above ASCII": "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    "target that is no path, no URL and no asterisk": "OPTIONS b HTTP/1.1\r\nHost: a\r\n\r\n",
    "first word of HTTP/2's preface": "PRI / HTTP/1.1\r\nHost: a\r\n\r\n",
    "chunk extension without a name": `${CHUNKED}1;\r\nx\r\n0\r\n\r\n`,
    "chunk extension of signs": `${CHUNKED}1;==\r\nx\r\n0\r\n\r\n`,
    "chunk extension with a blank": `${CHUNKED}1; a\r\nx\r\n0\r\n\r\n`,
    "extension of the last chunk without a name": `${CHUNKED}0;\r\n\r\n`,
    "Transfer-Encoding with a tab behind it": `${POST}Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n`,
    "Transfer-Encoding as a trailer": `${CHUNKED}0\r\nTransfer-Encoding:\r\n\r\n`,
    "Content-Length as a trailer": `${CHUNKED}0\r\nContent-Length:\r\n\r\n`,
  };
  test.each(Object.entries(refused))("%s", async (_, bytes) => {
    const ours = readRequests([bytes]);
    expect(ours.messages).toEqual([]);
    expect(ours.end).not.toBeNull();
    const [llhttp] = await readRequestsAll(memory, [[bytes]]);
    expect(llhttp?.messages).toEqual([]);
  });
});

describe("requests behind which llhttp reads no other are the last of their connection", () => {
  const last: Record<string, string> = {
    "Connection: close": `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    "Proxy-Connection: close": `GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n`,
    "Upgrade, which nobody took up": `GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`,
    CONNECT: "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  test.each(Object.entries(last))("%s", async (_, bytes) => {
    const ours = readRequests([bytes + NEXT]);
    expect(ours.messages).toHaveLength(1);
    expect(ours.end).toBe("closed");
    const [llhttp] = await readRequestsAll(memory, [[bytes + NEXT]]);
    expect(requestsDiffer(ours, llhttp ?? ours)).toBeNull();
  });
});

describe("responses that llhttp refuses or reads otherwise are refused", () => {
  const ANSWER = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
  const refused: Record<string, string> = {
    "Transfer-Encoding with a tab behind it, to llhttp a body until the end":
      "HTTP/1.1 200 OK\r\nTransfer-Encoding:chunked\t\r\n\r\n0\r\n\r\n",
    "chunk extension without a name": `${ANSWER}\r\n0;\r\n\r\n`,
    "Content-Length as a trailer": `${ANSWER}\r\n0\r\nContent-Length:\r\n\r\n`,
    "informational response that closes":
      "HTTP/1.1 103 Early\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "informational response in HTTP/1.0, to llhttp the whole answer":
      "HTTP/1.0 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  };
  test.each(Object.entries(refused))("%s", async (_, bytes) => {
    const ours = readResponse("GET", [bytes], true);
    expect(ours.end).toMatch(/^invalid: /);
    const [llhttp] = await readResponsesAll([{ method: "GET", reads: [bytes], ends: true }]);
    expect(responsesDiffer(ours, llhttp ?? ours)).toBeNull();
  });
});

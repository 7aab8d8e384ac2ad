import { describe, expect, test } from "vitest";
import { EMPTY_BODY } from "../../src/message/body.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import { acceptOf, judgeHandshake, judgeSwitch } from "../../src/websocket/handshake.ts";
import { createExchange } from "../fixtures/route-context.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
type Lines = Readonly<Record<string, string | readonly string[] | undefined>>;

const REQUEST: Lines = {
  upgrade: "websocket",
  connection: "Upgrade",
  "sec-websocket-key": KEY,
  "sec-websocket-version": "13",
};
const ANSWER: Lines = { upgrade: "WebSocket", connection: "upgrade", "sec-websocket-accept": acceptOf(KEY) };

function linesOf(lines: Lines): [string, string][] {
  return Object.entries(lines).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).map((one): [string, string] => [name, one]),
  );
}

function judged(changes: Lines, method = "GET", announcedBytes = 0): string | null {
  const exchange = createExchange({
    method,
    headers: linesOf({ ...REQUEST, ...changes }),
    body: { ...EMPTY_BODY, announcedBytes },
  });
  exchange.upgrade = "upgrade";
  return judgeHandshake(exchange)?.reason ?? null;
}

test("the accept value is that of RFC 6455 section 1.3", () => {
  expect(acceptOf(KEY)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("a handshake passes, however its words are written", () => {
  expect(judged({})).toBeNull();
  expect(judged({ upgrade: "WebSocket", connection: "keep-alive, UPGRADE" })).toBeNull();
  expect(judged({ "sec-websocket-protocol": "chat, v2.chat" })).toBeNull();
});

describe("anything else is refused with its reason", () => {
  const refused: Record<string, [changes: Lines, reason: string, method?: string, bytes?: number]> = {
    h2c: [{ upgrade: "h2c" }, "upgrade_refused"],
    "Connection that does not name it": [{ connection: "keep-alive" }, "upgrade_refused"],
    "no Connection": [{ connection: undefined }, "upgrade_refused"],
    "Connection with a word that only contains it": [{ connection: "upgrade-insecure" }, "upgrade_refused"],
    "no key": [{ "sec-websocket-key": undefined }, "websocket_invalid"],
    "two keys": [{ "sec-websocket-key": [KEY, KEY] }, "websocket_invalid"],
    "a key of 15 bytes": [{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25j" }, "websocket_invalid"],
    "a key with stray bits": [{ "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZR==" }, "websocket_invalid"],
    "a key that is no base64": [{ "sec-websocket-key": "not base64 at all, no!==" }, "websocket_invalid"],
    "version 8": [{ "sec-websocket-version": "8" }, "websocket_version_unsupported"],
    "two versions": [{ "sec-websocket-version": "13, 8" }, "websocket_version_unsupported"],
    "no version": [{ "sec-websocket-version": undefined }, "websocket_version_unsupported"],
    POST: [{}, "websocket_invalid", "POST"],
    "a body": [{}, "websocket_invalid", "GET", 5],
    "a chunked body": [{}, "websocket_invalid", "GET", -1],
    "an answer's header": [{ "sec-websocket-accept": acceptOf(KEY) }, "websocket_invalid"],
    "a malformed subprotocol": [{ "sec-websocket-protocol": "chat,," }, "websocket_invalid"],
  };
  for (const [name, [changes, reason, method, bytes]] of Object.entries(refused)) {
    test(name, () => expect(judged(changes, method, bytes)).toBe(reason));
  }
});

describe("the service's 101", () => {
  const judgedSwitch = (request: Lines, answer: Lines) => {
    const block = (lines: Lines) => {
      const all = linesOf(lines);
      return new HeaderBlock(
        all.map(([name]) => name),
        all.map(([, value]) => value),
      );
    };
    return judgeSwitch(block({ ...REQUEST, ...request }), KEY, block({ ...ANSWER, ...answer }));
  };
  const protocols = { "sec-websocket-protocol": "chat, v2.chat" };
  const deflate = { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits, x-other" };

  test("may choose nothing that the service was not offered, though the client did", () => {
    const headers = (lines: Lines) => {
      const all = linesOf(lines);
      return new HeaderBlock(
        all.map(([name]) => name),
        all.map(([, value]) => value),
      );
    };
    const offered = headers({ ...REQUEST, "sec-websocket-protocol": "bearer, secret, chat" });
    const judge = (chosen: string, left: readonly string[]) =>
      judgeSwitch(offered, KEY, headers({ ...ANSWER, "sec-websocket-protocol": chosen }), left);
    expect(judge("chat", ["chat"])).toEqual({ reservedBits: 0 });
    for (const chosen of ["bearer", "secret"]) {
      expect(judge(chosen, ["chat"])).toBe("a subprotocol that was not offered");
      expect(judge(chosen, [])).toBe("a subprotocol that was not offered");
    }
  });

  test("is taken with what was offered", () => {
    expect(judgedSwitch({}, {})).toEqual({ reservedBits: 0 });
    expect(judgedSwitch(protocols, { "sec-websocket-protocol": "v2.chat" })).toEqual({ reservedBits: 0 });
    expect(judgedSwitch(deflate, { "sec-websocket-extensions": "permessage-deflate" })).toEqual({ reservedBits: 0x40 });
    expect(judgedSwitch(deflate, { "sec-websocket-extensions": "x-other" })).toEqual({ reservedBits: 0x70 });
  });

  const wrong: Record<string, [request: Lines, answer: Lines]> = {
    "to another key": [{}, { "sec-websocket-accept": acceptOf("AAAAAAAAAAAAAAAAAAAAAA==") }],
    "without the accept": [{}, { "sec-websocket-accept": undefined }],
    "with two accepts": [{}, { "sec-websocket-accept": [acceptOf(KEY), acceptOf(KEY)] }],
    "to another protocol": [{}, { upgrade: "h2c" }],
    "without Upgrade": [{}, { upgrade: undefined }],
    "without Connection": [{}, { connection: "keep-alive" }],
    "with a subprotocol that was not offered": [protocols, { "sec-websocket-protocol": "admin" }],
    "with two subprotocols": [protocols, { "sec-websocket-protocol": ["chat", "v2.chat"] }],
    "with an extension that was not offered": [{}, { "sec-websocket-extensions": "permessage-deflate" }],
  };
  for (const [name, [request, answer]] of Object.entries(wrong)) {
    test(`is refused ${name}`, () => expect(typeof judgedSwitch(request, answer)).toBe("string"));
  }
});

// Goal: what a rule about answers says holds in whatever way the service sends them, and what no rule speaks of leaves byte for byte.
// Method: services of node:http and node:http2 that send the same answer in each way that HTTP has, behind a real process, asked over
// HTTP/1.1 and HTTP/2. Every rule meets every way.
import { type IncomingHttpHeaders, request } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../fixtures/free-port.ts";
import { openH2 } from "../fixtures/h2-client.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { type Said, sendBy, sendOver2, WAYS, type Way } from "../fixtures/sent-ways.ts";

const SSN = "078-05-1120";
const CARD = "4111111111111111";
const BODY = `{"id":7, "ssn":"${SSN}","card":{"number":"${CARD}"},"note":"none"}`;
const WITHOUT_SSN = BODY.replace(` "ssn":"${SSN}",`, "");

interface Rule {
  readonly name: string;
  /** `response` of its route. */
  readonly settings: string;
  readonly said?: Partial<Said>;
  /** What each item leaves as; null where the answer is refused. */
  readonly seen: string | null;
  /** The answer's whole body is another's. */
  readonly isReplaced?: boolean;
  readonly reason?: string;
  /** It looks into bodies, so that a part is none that it can judge. */
  readonly looks: boolean;
  /** Of items it sees no more than that they are wrong. */
  readonly refusesItems?: boolean;
  /** A body that is refused has not begun, however it is sent. */
  readonly isWhole?: boolean;
  readonly trailers: Readonly<Record<string, string>>;
  readonly head?: Readonly<Record<string, unknown>>;
}

const SAID: Said = {
  status: 200,
  headers: {
    "x-debug": "trace 7",
    "x-total": "1",
    location: "http://10.0.0.5:8080/orders/7",
    "set-cookie": "theme=dark; Path=/",
    "content-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
  },
  body: BODY,
  trailers: { "x-note": `paid with ${CARD}` },
};
const ALL = SAID.trailers;
const MASKED = { "x-note": "paid with [card-visa]" };
const LOCATION = { location: SAID.headers["location"] };

const RULES: readonly Rule[] = [
  {
    name: "none",
    settings: "{}",
    seen: BODY,
    looks: false,
    trailers: ALL,
    head: { ...LOCATION, "x-debug": "trace 7" },
  },
  { name: "fields", settings: "{ fields: { remove: ['$..ssn'] } }", seen: WITHOUT_SSN, looks: true, trailers: {} },
  {
    name: "allow",
    settings: "{ fields: { allow: ['$.id', '$.card'] } }",
    seen: `{"id":7,"card":{"number":"${CARD}"}}`,
    looks: true,
    trailers: {},
  },
  {
    name: "mask",
    settings: "{ mask: { '$.card.number': last4 } }",
    seen: BODY.replace(CARD, "****1111"),
    looks: true,
    trailers: {},
  },
  { name: "observe", settings: "{ leaks: { cards: observe } }", seen: BODY, looks: false, trailers: ALL },
  { name: "audit", settings: "{ leaks: { cards: mask, mode: audit } }", seen: BODY, looks: false, trailers: ALL },
  {
    name: "hide",
    settings: "{ leaks: { cards: mask } }",
    seen: BODY.replace(CARD, "[card-visa]"),
    looks: true,
    trailers: MASKED,
  },
  {
    name: "block",
    settings: "{ leaks: { cards: block } }",
    seen: null,
    reason: "response_leak",
    looks: true,
    trailers: {},
  },
  {
    name: "strip",
    settings: `{ validate: { stripUndeclared: true, content: { application/json: { schema: order.json }, application/x-ndjson: { itemSchema: order.json }, text/event-stream: { itemSchema: event.json } } } }`,
    seen: WITHOUT_SSN,
    refusesItems: true,
    reason: "response_invalid",
    looks: true,
    isWhole: true,
    trailers: {},
  },
  {
    name: "validate",
    settings: `{ validate: { content: { application/json: { schema: order.json }, application/x-ndjson: { itemSchema: order.json }, text/event-stream: { itemSchema: event.json } } } }`,
    seen: null,
    reason: "response_invalid",
    looks: true,
    isWhole: true,
    trailers: {},
  },
  { name: "caps", settings: "{ maxDepth: 1 }", seen: null, reason: "response_denied", looks: true, trailers: {} },
  {
    name: "errors",
    settings: "{ errors: { template: 'sorry, {status}', contentType: text/plain } }",
    said: { status: 500 },
    seen: "sorry, 500",
    isReplaced: true,
    looks: false,
    trailers: {},
  },
  {
    name: "headers",
    settings: "{ allowHeaders: [X-Total, ETag], setHeaders: { X-Env: prod } }",
    seen: BODY,
    looks: false,
    trailers: {},
    head: { "x-total": "1", "x-env": "prod", "x-debug": undefined, location: undefined, "set-cookie": undefined },
  },
  {
    name: "cookies",
    settings: "{ cookies: { secure: true, httpOnly: true, sameSite: Lax } }",
    seen: BODY,
    looks: false,
    trailers: ALL,
    head: { "set-cookie": ["theme=dark; Path=/; Secure; HttpOnly; SameSite=Lax"] },
  },
  {
    name: "location",
    settings: "{ location: {} }",
    seen: BODY,
    looks: false,
    trailers: ALL,
    head: { location: "/orders/7" },
  },
  {
    name: "elsewhere",
    settings: "{ location: {} }",
    said: { status: 302, headers: { location: "https://evil.example/" } },
    seen: null,
    reason: "response_denied",
    looks: false,
    isWhole: true,
    trailers: {},
  },
  {
    name: "together",
    settings:
      "{ fields: { remove: ['$.note'] }, mask: { $.ssn: fixed }, leaks: { cards: mask }, maxDepth: 4, cookies: { secure: true }, location: {}, removeHeaders: [X-Debug], errors: problem }",
    seen: `{"id":7, "ssn":"***","card":{"number":"[card-visa]"}}`,
    looks: true,
    trailers: {},
    head: { "set-cookie": ["theme=dark; Path=/; Secure"], location: "/orders/7", "x-debug": undefined },
  },
];

const ORDER = {
  type: "object",
  properties: {
    id: { type: "integer" },
    card: { type: "object", properties: { number: { type: "string" } } },
    note: { type: "string" },
  },
  additionalProperties: false,
};
const EVENT = {
  type: "object",
  properties: { data: { type: "string", contentMediaType: "application/json", contentSchema: ORDER } },
};

const PLACES = ["over1", "over2"] as const;
let [clearPort, h2ServicePort] = [0, 0];
const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: orders
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: over1 }
  - { name: h2, address: '127.0.0.1:${clearPort}', protocols: [h2c], upstream: over1 }
upstreams:
  over1: { address: 'http://127.0.0.1:${app}' }
  over2: { address: 'h2c://127.0.0.1:${h2ServicePort}' }
defaults: { response: { securityHeaders: { Cache-Control: off } } }
routes:
${RULES.flatMap(({ name, settings }) =>
  PLACES.map(
    (place) => `  - { path: '/${place}/${name}/{way}', public: true, upstream: ${place}, response: ${settings} }`,
  ),
).join("\n")}
`;

function askedFor(path: string): readonly [Way, Said] {
  const [, , ruleName, way] = path.split("/");
  const rule = RULES.find(({ name }) => name === ruleName);
  return [WAYS[Number(way)] ?? (WAYS[0] as Way), { ...SAID, ...rule?.said }];
}

let postern: Postern;
let session: ClientHttp2Session;
beforeAll(async () => {
  clearPort = await freePort();
  const service = await startService((asked, response) => {
    sendBy(...askedFor(asked.url ?? ""), asked, response);
    return true;
  });
  const over2 = await startH2Service((stream, head) => sendOver2(...askedFor(head[":path"] ?? ""), head, stream));
  h2ServicePort = over2.port;
  const files = { "order.json": JSON.stringify(ORDER), "event.json": JSON.stringify(EVENT) };
  postern = await startPostern(service.port, policy, files);
  session = openH2(clearPort);
});
afterAll(closeAll);

interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  trailers: IncomingHttpHeaders;
  body: Buffer;
  isWhole: boolean;
}

const ASKED = { "accept-encoding": "gzip, br", te: "trailers" };

function askOver1(path: string, method: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: postern.port, path, method, headers: ASKED, agent: false };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => {});
      response.on("close", () => {
        const { statusCode = 0, headers, complete } = response;
        const trailers = { ...response.trailers };
        resolve({ status: statusCode, headers, trailers, body: Buffer.concat(chunks), isWhole: complete });
      });
    });
    sent.on("error", reject);
    sent.end();
  });
}

function askOver2(path: string, method: string): Promise<Got> {
  return new Promise((resolve) => {
    const got: Got = { status: 0, headers: {}, trailers: {}, body: Buffer.alloc(0), isWhole: false };
    const chunks: Buffer[] = [];
    const stream = session.request({ ":authority": "localhost", ":path": path, ":method": method, ...ASKED });
    stream.on("response", (headers) => Object.assign(got, { headers, status: headers[":status"] }));
    stream.on("trailers", (trailers) => {
      got.trailers = Object.fromEntries(Object.entries(trailers));
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => {});
    stream.on("close", () => resolve({ ...got, body: Buffer.concat(chunks), isWhole: stream.rstCode === 0 }));
    stream.end();
  });
}

/** A part is no error. */
const isReplacing = (rule: Rule, { status }: Way): boolean => rule.isReplaced === true && status === null;

/** Null where the answer is refused. */
function seenOf(rule: Rule, way: Way): string | null {
  const { seen, refusesItems, looks } = rule;
  const { items, status } = way;
  if (items === null) return "";
  if (status === 206 && looks) return null;
  if (seen === null || isReplacing(rule, way)) return seen;
  const isStream = items.count > 1;
  if (refusesItems === true && isStream) return null;
  return `${items.before}${seen}${items.behind}`.repeat(items.count);
}

function expectRefused({ isWhole, reason, looks }: Rule, { status, items, method }: Way, got: Got): void {
  const text = got.body.toString("latin1");
  expect(text).not.toContain(CARD);
  if (method === "HEAD") expect([got.status, text]).toEqual([502, ""]);
  else if (got.status === 502) {
    expect(JSON.parse(text)).toMatchObject({ reason: status === 206 && looks ? "response_unreadable" : reason });
    expect(got.headers).not.toHaveProperty("content-encoding");
  } else expect([isWhole === true && items?.count === 1, got.isWhole]).toEqual([false, false]);
}

function expectHead(rule: Rule, way: Way, { status, headers }: Got): void {
  const { name, looks, head, said } = rule;
  expect(status).toBe(way.status ?? said?.status ?? 200);
  const isChanged = looks || isReplacing(rule, way);
  expect(headers["etag"]).toBe(isReplacing(rule, way) ? undefined : isChanged ? 'W/"v1"' : '"v1"');
  if (isChanged) for (const gone of ["content-digest", "content-encoding"]) expect(headers).not.toHaveProperty(gone);
  else {
    expect(headers["content-encoding"]).toBe(way.headers["content-encoding"]);
    if (name !== "headers") expect(headers["content-digest"]).toBe(SAID.headers["content-digest"]);
  }
  for (const [line, value] of Object.entries(head ?? {})) expect([line, headers[line]]).toEqual([line, value]);
}

describe.each(RULES)("rule '$name'", (rule) => {
  for (const [at, way] of WAYS.entries()) {
    test(`holds for what is sent ${way.name}`, async () => {
      for (const place of PLACES) {
        for (const ask of [askOver1, askOver2]) {
          const got = await ask(`/${place}/${rule.name}/${at}`, way.method);
          const seen = seenOf(rule, way);
          if (seen === null || (rule.name === "elsewhere" && way.method === "HEAD")) {
            expectRefused(rule, way, got);
            continue;
          }
          expectHead(rule, way, got);
          const isAsItCame = !rule.looks && !isReplacing(rule, way);
          const wanted = isAsItCame ? Buffer.concat([...way.pieces(BODY)]) : Buffer.from(seen);
          // Not the bytes themselves, where they differ: there may be megabytes.
          expect([got.isWhole, got.body.length, got.body.equals(wanted)]).toEqual([true, wanted.length, true]);
          expect(got.trailers).toEqual(way.hasTrailers ? rule.trailers : {});
        }
      }
    });
  }
});

test("what is only looked for is found in whatever way it is sent", async () => {
  for (const [at, way] of WAYS.entries()) {
    if (way.items === null) continue;
    for (const place of PLACES) {
      const observed = await postern.logged(({ path }) => path === `/${place}/observe/${at}`);
      const seen = [way.name, observed["leaks"] ?? observed["audited"]];
      expect(seen).toEqual([way.name, expect.arrayContaining([expect.objectContaining({ kind: "card-visa" })])]);
    }
  }
});

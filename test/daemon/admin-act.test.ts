// Goal: what changes something at the admin port needs the policy's token, whoever reaches the port, and no web page can make
// a browser do it. Method: a real admin port with an act that only counts how often it was done.
import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AdminServer, openAdmin } from "../../src/daemon/admin.ts";
import type { ActRecord } from "../../src/daemon/admin-act.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err, ok } from "../../src/support/result.ts";

const TOKEN = "0123456789abcdef0123";
const JSON_TYPE = { "Content-Type": "application/json" };
const GOOD = { ...JSON_TYPE, Authorization: `Bearer ${TOKEN}` };

let server: AdminServer;
let token: string | null;
let done: unknown[];
let told: ActRecord[];

beforeEach(async () => {
  token = TOKEN;
  done = [];
  told = [];
  const opened = await openAdmin(
    { host: "127.0.0.1", port: 0 },
    {
      notReady: () => new Set<never>(),
      liveness: () => [],
      serviceProbes: () => new Map(),
      readiness: () => [],
      hosts: () => [],
      metrics: () => Promise.resolve(""),
      metricsHosts: () => [],
      identityKeys: () => null,
      rooms: () => [
        {
          path: "/things",
          show: (query) => ok({ about: query.get("about") }),
          asks: { forget: ["key"] },
          alsoTakes: { forget: ["bad"] },
          acts: {
            forget: (settings) => {
              done.push({ ...settings });
              return settings["bad"] === true ? err({ status: 400 as const, text: "that is bad" }) : ok({ forgot: 1 });
            },
            clear: () => {
              done.push("cleared");
              return ok({});
            },
          },
        },
      ],
      token: () => (token === null ? null : Buffer.from(token)),
      acted: (record) => told.push(record),
    },
  );
  if (!opened.ok) throw new Error(opened.error);
  server = opened.value;
});

afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

function send(
  path: string,
  method: string,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(`http://${server.boundTo}`);
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const act = (headers: Readonly<Record<string, string>>, body = ""): Promise<Answer> =>
  send("/things/forget", "POST", headers, body);

test("with the token an act is done, answered and told", async () => {
  const answer = await act(GOOD, '{"key":"all"}');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([200, { forgot: 1 }]);
  expect(done).toEqual([{ key: "all" }]);
  expect(told).toEqual([{ act: "/things/forget", result: "done", client: "127.0.0.1", fields: { forgot: 1 } }]);
});

test("reading needs none", async () => {
  expect(JSON.parse((await send("/things?about=x", "GET")).body)).toEqual({ about: "x" });
});

describe("without the token nothing is done", () => {
  test.each([
    ["none", undefined],
    ["a wrong one", "Bearer 0123456789abcdef0124"],
    ["its beginning", `Bearer ${TOKEN.slice(0, -1)}`],
    ["more than it", `Bearer ${TOKEN}0`],
    ["nothing behind Bearer", "Bearer "],
    ["another scheme", `Basic ${Buffer.from(`admin:${TOKEN}`).toString("base64")}`],
    ["two of them", `Bearer ${TOKEN} ${TOKEN}`],
  ])("%s", async (_name, authorization) => {
    const answer = await act({
      ...JSON_TYPE,
      ...(authorization === undefined ? {} : { Authorization: authorization }),
    });
    expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, 'Bearer realm="postern"']);
    expect([done, told.map(({ result }) => result)]).toEqual([[], ["unauthorized"]]);
    expect(JSON.stringify(told)).not.toContain(TOKEN);
  });

  test("a policy without one lets nobody act, and the answer says what to do", async () => {
    token = null;
    for (const headers of [GOOD, { ...JSON_TYPE, Authorization: "Bearer " }, JSON_TYPE]) {
      const answer = await act(headers);
      expect(answer.status).toBe(403);
      expect(answer.body).toContain("give it 'admin: { token: { file: NAME } }'");
    }
    expect([done, told.map(({ result }) => result)]).toEqual([[], ["no_token", "no_token", "no_token"]]);
  });
});

describe("a page of another site", () => {
  test.each([
    ["its origin", { Origin: "https://evil.example" }],
    ["no origin that it admits to", { Origin: "null" }],
    ["the port of another service here", { Origin: "http://127.0.0.1:3000" }],
    ["what the browser says of it", { "Sec-Fetch-Site": "cross-site" }],
    ["a sibling", { "Sec-Fetch-Site": "same-site" }],
  ])("is refused for %s, though it had the token", async (_name, headers) => {
    expect((await act({ ...GOOD, ...headers })).status).toBe(403);
    expect([done, told.map(({ result }) => result)]).toEqual([[], ["cross_site"]]);
  });

  test.each([
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain; a=application/json",
  ])("sends no form of %s", async (type) => {
    expect((await act({ ...GOOD, "Content-Type": type }, "limit=x")).status).toBe(415);
    expect((await act({ Authorization: GOOD.Authorization })).status).toBe(415);
    expect(done).toEqual([]);
  });

  test("that had its own name point here is refused by its Host", async () => {
    expect((await act({ ...GOOD, Host: "evil.example" })).status).toBe(421);
    expect(done).toEqual([]);
  });

  test("of this port itself may act", async () => {
    const own = { Host: server.boundTo, Origin: `http://${server.boundTo}`, "Sec-Fetch-Site": "same-origin" };
    expect((await act({ ...GOOD, ...own })).status).toBe(200);
  });
});

test("a member that an act does not know has nothing done: it may be a misspelt one that narrows what is meant", async () => {
  expect(await act(GOOD, '{"kye":"a","bad":false}')).toMatchObject({
    status: 400,
    body: "unknown member 'kye'; expected one of: key, bad\n",
  });
  expect(await send("/things/clear", "POST", GOOD, '{"key":"a"}')).toMatchObject({
    status: 400,
    body: "unknown member 'key'; expected none: this act takes no settings\n",
  });
  expect(done).toEqual([]);
  expect(told.map(({ result }) => result)).toEqual(["failed", "failed"]);
  expect((await send("/things/clear", "POST", GOOD, "{}")).status).toBe(200);
  expect(done).toEqual(["cleared"]);
});

test("what is asked for has one form", async () => {
  expect((await act(GOOD, "[]")).status).toBe(400);
  expect((await act(GOOD, '{"key":1,"key":2}')).status).toBe(400);
  expect((await act(GOOD, `{"key":"${"x".repeat(20_000)}"}`)).status).toBe(400);
  expect(done).toEqual([]);
  expect(await act(GOOD, '{"bad":true}')).toMatchObject({ status: 400, body: "that is bad\n" });
});

test("what failed is told with what it was aimed at, cut and without what misleads readers", async () => {
  await act(GOOD, JSON.stringify({ bad: true, key: `a\u202e${"x".repeat(10_000)}` }));
  const { fields, result } = told.at(-1) ?? {};
  expect([result, fields]).toEqual([
    "failed",
    { fault: "that is bad", bad: true, key: expect.stringMatching(/^a\ufffdx+…$/) },
  ]);
  expect(String(fields?.["key"]).length).toBeLessThanOrEqual(DEFAULTS.logTextCharsMax + 1);
});

test("only POST acts, and only where there is an act", async () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    expect(await send("/things/forget", method, GOOD)).toMatchObject({ status: 405, headers: { allow: "POST" } });
  }
  for (const path of ["/things/", "/things/toString", "/things/__proto__", "/other/forget"]) {
    expect((await send(path, "POST", GOOD)).status).toBe(404);
  }
  for (const path of ["/things", "/metrics"]) {
    expect(await send(path, "POST", GOOD)).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
  }
  expect(done).toEqual([]);
});

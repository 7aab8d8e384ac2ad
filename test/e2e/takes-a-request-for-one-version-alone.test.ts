// Goal: what version 2 asks for is not walked round by a request that postern takes for version 1 and the service for 2.
// Method: real frameworks that look for the version in their usual ways, and serve the newest where they find none; version 1 is
// open, version 2 wants a key. Each attack is shown to work on the bare service first.
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, type RealServiceKind, startRealService } from "../fixtures/real-service.ts";

const policy = ({ port, app }: PolicyPorts): string => `
version: 1
service: items
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
versions:
  from: [{ header: Api-Version }, { query: api_version }, { mediaType: version }]
  default: '1'
routes:
  - { path: /versioned, version: '1', public: true }
  - { path: /versioned, version: '2', authenticate: [partners] }
  - { path: '/**', public: true }
`;

interface Answer {
  readonly status: number;
  readonly handler: string | undefined;
  readonly reason: string | undefined;
  readonly vary: string | undefined;
}

/** `lines` as they are, each name as often as it stands there. */
function ask(port: number, target: string, lines: readonly string[] = []): Promise<Answer> {
  const headers = ["Host", `127.0.0.1:${port}`, ...lines.flatMap((line) => line.split(": "))];
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: "127.0.0.1", path: target, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString("utf8");
      });
      response.on("end", () => {
        const json: { handler?: string; reason?: string } = text.startsWith("{") ? JSON.parse(text) : {};
        const { handler, reason } = json;
        resolve({ status: response.statusCode ?? 0, handler, reason, vary: response.headers.vary });
      });
    });
    request.on("error", reject);
    request.end();
  });
}

type Attack = readonly [target: string, lines?: readonly string[]];

const NONE: Attack = ["/versioned"];
/** Quoted or longer, and found by whoever looks for the text alone. */
const IN_TYPES: readonly Attack[] = [
  ["/versioned", ['Accept: application/json;x="version=2";version=1']],
  ["/versioned", ["Accept: application/json;xversion=2"]],
  ["/versioned", ["Accept: application/json;version=2, application/json;version=1"]],
];

/** Requests without a key that the bare service takes for version 2. */
const ATTACKS: Partial<Record<RealServiceKind, readonly Attack[]>> = {
  express: [
    NONE,
    ...IN_TYPES,
    ["/versioned?api_version=2", ["Api-Version: 1"]],
    ["/versioned?api_version=1&api_version=2"],
    ["/versioned?%61pi_version=2", ["Api-Version: 1"]],
    ["/versioned", ["Api-Version: 1", "Api-Version: 2"]],
    ["/versioned?api_version=2"],
  ],
  "gunicorn+flask": [
    NONE,
    ...IN_TYPES,
    ["/versioned?api_version=1", ["Api-Version: 2"]],
    ["/versioned?api_version=2&api_version=1"],
    ["/versioned?api%5fversion=2&api_version=1"],
    ["/versioned", ["Api-Version: 2"]],
  ],
  php: [
    NONE,
    ...IN_TYPES,
    ["/versioned", ["Api_Version: 2"]],
    ["/versioned", ["Api-Version: 1", "Api_Version: 2"]],
    ["/versioned?api.version=2"],
    ["/versioned?api%20version=2"],
    ["/versioned?+api_version=2"],
    ["/versioned?api[version=2"],
    ["/versioned?api_version%00x=2"],
    ["/versioned?api_version[]=2"],
    ["/versioned?api_version=1&api.version=2"],
  ],
  go: [
    NONE,
    ...IN_TYPES,
    ["/versioned?api_version=2&api_version=1"],
    ["/versioned?api_version=2", ["Api-Version: 1"]],
    ["/versioned", ["Api-Version: 2", "Api-Version: 1"]],
  ],
};

describe.for(Object.entries(ATTACKS) as [RealServiceKind, readonly Attack[]][])("%s", ([kind, attacks]) => {
  let service = 0;
  let postern: Postern;
  let key = "";
  beforeAll(async () => {
    if (!hasRealService(kind)) return;
    service = (await startRealService(kind)).port;
    postern = await startPostern(service, policy);
    key = `X-Api-Key: ${(await theWorld()).apiKey}`;
  });
  afterAll(closeAll);
  beforeEach(({ skip }) => skip(!hasRealService(kind), `${kind} is not installed`));

  test.for(attacks)(
    "%s %j is version 2 for the service, and never without a key behind postern",
    async ([target, lines]) => {
      expect((await ask(service, target, lines)).handler).toBe("version 2");
      const { status, handler, reason } = await ask(postern.port, target, lines);
      if (status === 200) expect(handler).toBe("version 1");
      else
        expect([reason, handler]).toEqual([
          expect.stringMatching(/^(?:version_ambiguous|credentials_missing)$/),
          undefined,
        ]);
    },
  );

  test("who names one version in any way gets that one, and who names none the policy's default", async () => {
    for (const version of ["1", "2"]) {
      for (const [target, ...lines] of [
        ["/versioned", `Api-Version: ${version}`],
        [`/versioned?a=1&api_version=${version}&b=2`],
        ["/versioned", `Accept: application/json;version=${version}`],
        ["/versioned", `Accept: application/json; version="${version}", */*;q=0.1`],
        [`/versioned?api_version=${version}`, `Api-Version: ${version}`],
      ] as const) {
        const answer = await ask(postern.port, target, [...lines, key]);
        expect([target, lines, answer.status, answer.handler]).toEqual([target, lines, 200, `version ${version}`]);
        expect(answer.vary?.toLowerCase()).toContain("api-version, accept");
      }
    }
    expect(await ask(postern.port, "/versioned")).toMatchObject({ status: 200, handler: "version 1" });
    // What only the hop between client and postern is to see is not taken from what was judged.
    const hidden = ["Api-Version: 1", "Connection: close, api-version"];
    expect(await ask(postern.port, "/versioned", hidden)).toMatchObject({ status: 200, handler: "version 1" });
    expect(await ask(postern.port, "/versioned", ["Api-Version: 3", key])).toMatchObject({
      status: 400,
      reason: "version_unknown",
    });
  });

  test("a route without versions takes whatever is named", async () => {
    const answer = await ask(postern.port, "/public/page", ["Api-Version: 7", "Api_Version: 8"]);
    expect([answer.status, answer.handler]).toEqual([200, "public"]);
  });
});

// Goal: what an edit would make of the service's answers is seen on real ones before it counts, and each client gets what it got
// before. Method: a service that answers in several ways, and candidates with rules about answers.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { closeAll } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { type LivePostern, startLivePostern } from "../fixtures/live-postern.ts";
import { startService } from "../fixtures/postern.ts";

const SECRET = "ssn-078-05-1120";
const BODIES: Readonly<Record<string, string>> = {
  "/plain": JSON.stringify({ id: 1, note: "fine" }),
  "/secret": JSON.stringify({ id: 1, ssn: SECRET }),
  "/long": JSON.stringify({ id: 1, ssn: "x".repeat(80_000) }),
};
const policy = (routes: string, candidate = ""): string => `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8080' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
admin: { address: '127.0.0.1:9901' }
${candidate}routes:
${routes}`;
const LIVE = policy(
  "  - { path: /**, public: true }\n",
  "candidate: { file: next.yaml, share: 100%, cpuShare: 100% }\n",
);
const next = (rules: string): string => policy(`  - { path: /**, public: true, response: ${rules} }\n`);

interface Shown {
  readonly hash: string | null;
  readonly requests: Readonly<Record<string, number>>;
  readonly differences: readonly Readonly<Record<string, unknown>>[];
  readonly unknown: readonly Readonly<Record<string, unknown>>[];
}

let postern: LivePostern;

beforeAll(async () => {
  const { port } = await startService(({ url = "" }, response) => {
    if (url === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end("data: 1\n\n");
    } else if (url === "/gzip") {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync(BODIES["/secret"] ?? ""));
    } else {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(BODIES[url] ?? "{}");
    }
    return true;
  });
  postern = await startLivePostern({ "policy.yaml": LIVE, "next.yaml": next("{ maxBytes: 1MiB }") }, port);
  await shownWhen(({ hash }) => hash !== null);
});
afterAll(closeAll);

async function shown(): Promise<Shown | null> {
  const response = await fetch(`${postern.admin}/candidate`);
  return response.ok ? ((await response.json()) as Shown) : null;
}

const shownWhen = (holds: (one: Shown) => boolean): Promise<Shown> =>
  eventually(async () => {
    const one = await shown();
    return one !== null && holds(one) ? one : null;
  });

const judged = ({ requests }: Shown): number => Object.values(requests).reduce((sum, one) => sum + one, 0);

async function tries(rules: string): Promise<void> {
  const before = (await shown())?.hash ?? null;
  postern.write("next.yaml", next(rules));
  await shownWhen(({ hash }) => hash !== null && hash !== before);
}

const ask = async (path: string): Promise<string> => (await fetch(`${postern.url}${path}`)).text();

test("fields that would go are told as another answer, and all clients get what the service sent", async () => {
  await tries("{ fields: { remove: ['$.ssn'] } }");
  for (const path of ["/plain", "/secret", "/secret"]) expect(await ask(path)).toBe(BODIES[path]);
  const told = await shownWhen((one) => judged(one) === 3);
  expect(told).toMatchObject({
    requests: { same: 1, different: 2, unknown: 0 },
    differences: [{ live: "allow", candidate: "another_answer", count: 2, route: "/**" }],
  });
  expect(JSON.stringify(told)).not.toContain(SECRET);
});

test("an answer that would be refused is told with the line that does it", async () => {
  await tries("{ maxBytes: 30B }");
  for (const path of ["/plain", "/secret"]) expect(await ask(path)).toBe(BODIES[path]);
  expect(await shownWhen((one) => judged(one) === 2)).toMatchObject({
    requests: { same: 1, different: 1 },
    differences: [
      { live: "allow", candidate: "response_denied", candidatePlace: expect.stringMatching(/next\.yaml:7:/) },
    ],
  });
});

test("a rule that only audits makes no difference", async () => {
  await tries("{ fields: { remove: ['$.ssn'], mode: audit } }");
  expect(await ask("/secret")).toBe(BODIES["/secret"]);
  expect(await shownWhen((one) => judged(one) === 1)).toMatchObject({ requests: { same: 1 }, differences: [] });
});

test("of what is long, streams, or came compressed though the candidate would not have asked for that nothing is said", async () => {
  await tries("{ fields: { remove: ['$.ssn'] } }");
  expect(await ask("/long")).toBe(BODIES["/long"]);
  expect(await ask("/events")).toBe("data: 1\n\n");
  expect(await ask("/gzip")).toBe(BODIES["/secret"]);
  const { requests, unknown } = await shownWhen((one) => judged(one) === 3);
  expect(requests).toMatchObject({ unknown: 3, different: 0 });
  expect(unknown.map(({ key }) => key).sort()).toEqual(["a compressed answer", "a long answer", "a stream"]);
});

test("what the policy in force takes off and the candidate would not is a difference, too", async () => {
  postern.write(
    "policy.yaml",
    LIVE.replace("public: true }", "public: true, response: { fields: { remove: ['$.ssn'] } } }"),
  );
  postern.daemon.reload();
  await postern.daemon.reloadSettled();
  await tries("{ maxBytes: 1MiB }");
  expect(await ask("/secret")).toBe('{"id":1}');
  expect(await shownWhen((one) => judged(one) === 1)).toMatchObject({
    differences: [{ live: "allow", candidate: "another_answer", count: 1 }],
  });
});

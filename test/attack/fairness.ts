import { Agent, request } from "node:http";
import { join } from "node:path";
import { type Manners, spawnChild, startPostern } from "./kit.ts";

/**
 * One client at fifty times what a limit lets it have, and twenty that behave, before a service that works at sixteen
 * requests at once: what those twenty notice under each protection.
 */

const GOOD_CLIENTS = 20;
const GOOD_EVERY_MS = 100;
const RATE = 100;
const TIMES = 50;

const PROTECTIONS: Readonly<Record<string, { readonly section: string; readonly limit: string }>> = {
  nothing: { section: "", limit: "" },
  "a rate by address": {
    section: `limits: { perAddress: { rate: ${RATE}/second, key: client.address } }`,
    limit: "limit: [perAddress]",
  },
  "16 requests at once, a queue fair by caller": {
    section: "limits: { inFlight: { concurrency: 16, queue: { length: 100, timeout: 2s } } }",
    limit: "limit: [inFlight]",
  },
  shedding: { section: "overload: {}", limit: "" },
};

export interface FairnessFigures {
  readonly protection: string;
  readonly before: Manners;
  readonly during: Manners;
  readonly flood: { readonly sent: number; readonly statuses: Readonly<Record<string, number>> };
}

/** `seconds` without the flood, and as many with it, for each protection. */
export async function* fairness(seconds: number): AsyncGenerator<FairnessFigures> {
  for (const [protection, { section, limit }] of Object.entries(PROTECTIONS)) {
    const service = spawnChild(process.execPath, [join(import.meta.dirname, "few-at-once.ts")]);
    const app = Number(await firstLine(service.stdout));
    const route = ["path: /**", "public: true", limit].filter((part) => part !== "").join(", ");
    const postern = await startPostern(
      (port, admin) => `version: 1
service: work
listeners: [{ name: inbound, address: "127.0.0.1:${port}" }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
${section}
routes: [{ ${route} }]
`,
    );
    await behaveTogether(postern.port, Math.min(2, seconds)); // so that no row has the cold start
    const before = await behaveTogether(postern.port, seconds);
    const flooding = spawnChild(process.execPath, [
      join(import.meta.dirname, "flood.ts"),
      String(postern.port),
      String(RATE * TIMES),
    ]);
    await behaveTogether(postern.port, 1); // its beginning is not its middle
    const during = await behaveTogether(postern.port, seconds);
    const told = firstLine(flooding.stdout);
    flooding.stdin?.end();
    yield { protection, before, during, flood: JSON.parse(await told) };
    await postern.stop();
    service.stdin?.end();
  }
}

function firstLine(stream: NodeJS.ReadableStream | null): Promise<string> {
  return new Promise((done) => stream?.once("data", (chunk) => done(String(chunk))));
}

/** Each of the twenty asks ten times a second from its own address, over connections that are kept. */
async function behaveTogether(port: number, seconds: number): Promise<Manners> {
  const latenciesMs: number[] = [];
  let failures = 0;
  const agents = Array.from({ length: GOOD_CLIENTS }, () => new Agent({ keepAlive: true }));
  const ask = (at: number): Promise<void> =>
    new Promise((done) => {
      const startedMs = performance.now();
      const localAddress = `127.0.1.${at + 1}`;
      const asking = request(
        { host: "127.0.0.1", port, localAddress, path: "/work", agent: agents[at], timeout: 5_000 },
        (answer) => {
          answer.resume().on("end", () => {
            if (answer.statusCode === 200) latenciesMs.push(performance.now() - startedMs);
            else failures++;
            done();
          });
          answer.on("error", done);
        },
      );
      asking.on("timeout", () => asking.destroy(new Error("timeout")));
      asking.on("error", () => {
        failures++;
        done();
      });
      asking.end();
    });
  const asked: Promise<void>[] = [];
  const timers: NodeJS.Timeout[] = [];
  for (let at = 0; at < GOOD_CLIENTS; at++) timers.push(setInterval(() => asked.push(ask(at)), GOOD_EVERY_MS));
  await new Promise((done) => setTimeout(done, seconds * 1_000));
  for (const timer of timers) clearInterval(timer);
  await Promise.all(asked);
  for (const agent of agents) agent.destroy();
  return { latenciesMs, failures };
}

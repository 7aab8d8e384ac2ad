// Goal: an adaptive limit lets no more requests at a service than it manages, found by how long it takes, and more when it does.
// Method: a real postern process before a service that works on two requests at a time, then on as many as come; a crowd of
// clients that ask again as soon as they are answered. The limit is read from the metrics.
import { Agent, createServer, get } from "node:http";
import { afterAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { type PolicyPorts, type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

afterAll(closeAll);

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: slow
listeners: [{ name: inbound, address: "127.0.0.1:${port}" }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
limits:
  manageable: { concurrency: 60, adaptive: { min: 2 }, queue: { length: 100, timeout: 60s } }
routes: [{ path: /, public: true, limit: [manageable] }]
`;

/** Works on `workers` requests at a time, 100 ms each, so that a busy machine adds little; the others wait inside it. */
async function startSlowService() {
  const service = { port: 0, workers: 1_000, working: 0 };
  const inside: (() => void)[] = [];
  const next = (): void => {
    while (service.working < service.workers) {
      const begin = inside.shift();
      if (begin === undefined) return;
      service.working++;
      begin();
    }
  };
  const server = createServer((_, response) => {
    inside.push(() =>
      setTimeout(() => {
        service.working--;
        response.end("done");
        next();
      }, 100),
    );
    next();
  });
  service.port = await listen(server);
  onClose(() => server.closeAllConnections());
  return service;
}

function crowd(postern: Postern, clients: number): { stop: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let isOver = false;
  const ask = (): void => {
    if (isOver) return;
    const request = get({ port: postern.port, agent }, (response) => {
      response.resume();
      response.on("close", ask);
    });
    request.on("error", () => setTimeout(ask, 20));
  };
  for (let at = 0; at < clients; at++) ask();
  const stop = (): void => {
    isOver = true;
    agent.destroy();
  };
  onClose(stop);
  return { stop };
}

async function limitNow(postern: Postern): Promise<number> {
  const { body } = await postern.admins("/metrics");
  return Number(/^postern_limit_concurrency\{limit="manageable"\} (\S+)$/m.exec(body)?.[1]);
}

test("the limit falls to what a service of two workers manages, and rises when it manages more", async () => {
  const service = await startSlowService();
  const postern = await startPostern(service.port, policy);
  crowd(postern, 40);
  // While it keeps up, more are let in than at first.
  await eventually(async () => (await limitNow(postern)) > 25);
  service.workers = 2;
  await eventually(async () => (await limitNow(postern)) < 20);
  service.workers = 1_000;
  await eventually(async () => (await limitNow(postern)) > 25);
  expect(await limitNow(postern)).toBeLessThanOrEqual(60);
});

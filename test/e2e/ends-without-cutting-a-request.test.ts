// Goal: SIGTERM is a promise kept: not ready at once, nothing new, what is in flight finishes, exit 0.
// Method: a service that holds its answer until the test lets it go; a real signal to a real process.
import { afterEach, expect, test } from "vitest";
import { eventually, ORDER_SCHEMA, ordersPolicy, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

test("SIGTERM lets the request in flight finish, refuses new connections, and exits 0", async () => {
  let answer: () => void = () => {};
  const service = await startService((_, response) => {
    answer = () => response.end("finished");
    return true;
  });
  const postern = await startPostern(service.port, ordersPolicy, { "order.json": ORDER_SCHEMA });
  const inFlight = postern.call({ path: "/public" });
  await eventually(
    async () => service.arrived.length,
    (count) => count === 1,
  );
  postern.process.kill("SIGTERM");
  await postern.logged((line) => line["event"] === "shutdown");
  await expect(postern.call({ path: "/public" })).rejects.toThrow(/ECONNREFUSED|ECONNRESET|closed|hang up/);
  answer();
  expect(await inFlight).toMatchObject({ status: 200, body: "finished", headers: { connection: "close" } });
  expect(await postern.exited).toBe(0);
});

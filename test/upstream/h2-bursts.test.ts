import { afterEach, expect, test } from "vitest";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { startH2Service } from "../fixtures/h2-upstream.ts";
import { PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

test("a burst on a service that allows few streams, before it could say so, waits for its turn", async () => {
  const service = await startH2Service(
    (stream) => {
      stream.respond({ ":status": 200 });
      void unchanging(() => 0, 10).then(() => stream.end("ok"));
    },
    { settings: { maxConcurrentStreams: 4 } },
  );
  const world = new PoolWorld(service.port, { connectionsMax: 2 });
  const asked = Array.from({ length: 40 }, () =>
    world.ask({ method: "POST", bodyBytes: 2 }, { body: Buffer.from("hi") }),
  );
  await eventually(() => asked.every((each) => each.isOver));
  expect(asked.filter((each) => each.last !== "end").map((each) => each.told)).toEqual([]);
  expect(service.sessions).toBeLessThanOrEqual(2);
});

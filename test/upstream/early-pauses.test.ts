import { afterEach, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import type { Field } from "../fixtures/h2-frames.ts";
import { startH2RawService } from "../fixtures/h2-upstream.ts";
import { PoolWorld } from "../fixtures/pool-exchange.ts";
import { closeAll, startScriptedService } from "../fixtures/proxy.ts";

afterEach(closeAll);

const HINT: readonly Field[] = [[":status", "103"]];

test.each(["http/1.1", "h2"] as const)(
  "an early hint that its client takes slowly does not let a service that goes silent off its time (%s)",
  async (protocol) => {
    const port =
      protocol === "h2"
        ? (await startH2RawService((service, stream) => service.head(stream, HINT))).port
        : await startScriptedService(() => "HTTP/1.1 103 Early Hints\r\n\r\n");
    const one = new PoolWorld(port, { protocol });
    const asked = one.ask({}, { takes: false });
    await eventually(() => asked.last === "informational 103");
    await new Promise((resolve) => setImmediate(resolve));
    asked.resume();
    one.later(one.settings.responseTimeoutMs + 1);
    expect(asked.told).toEqual(["informational 103", "failure timeout"]);
  },
);

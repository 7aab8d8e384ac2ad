import { status } from "@grpc/grpc-js";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { readJwtBundles } from "../../src/spiffe/bundle-map.ts";
import { WorkloadBundles } from "../../src/spiffe/workload-bundles.ts";
import { readX509Bundles } from "../../src/spiffe/x509-svid.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";
import { encodeX509Bundles, startSpiffeAgent } from "../fixtures/spiffe-agent.ts";

let own: Authority;
let partner: Authority;
beforeAll(async () => {
  own = await createAuthority("example.org");
  partner = await createAuthority("partner.net");
});
afterEach(closeAll);

function watch(socketPath: string) {
  const watched = { recompiled: 0 };
  const world = resourceWorld({
    clock: { wallMs: () => Date.now(), monotonicMs: () => Date.now() },
    timers: { after: (ms: number, run: () => void) => systemTimers.after(ms > 5_000 ? ms : ms / 20, run) },
    recompile: () => {
      watched.recompiled++;
    },
  });
  const source = new WorkloadBundles(socketPath, world);
  onClose(() => source.close());
  return Object.assign(watched, { source });
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: PATIENCE_MS });
const domains = ({ source }: ReturnType<typeof watch>) => [...(source.material?.bundles.keys() ?? [])].sort();

test("an agent gives bundles to a process that has no identity, and each change", async () => {
  const agent = await startSpiffeAgent();
  const watched = watch(agent.socketPath);
  watched.source.start();
  agent.give(encodeX509Bundles({ "example.org": own.certificate }), "FetchX509Bundles");
  await until(() => expect(domains(watched)).toEqual(["example.org"]));
  const both = encodeX509Bundles({ "example.org": own.certificate, "partner.net": partner.certificate });
  agent.give(both, "FetchX509Bundles");
  await until(() => expect(domains(watched)).toEqual(["example.org", "partner.net"]));
  agent.give(both, "FetchX509Bundles");
  await until(() => expect(watched.source.status().tries).toMatchObject({ ok: 2, unchanged: 1 }));
  expect(watched.recompiled).toBe(2);
  expect(watched.source.status()).toMatchObject({ state: "ready", detail: "2 trust domains" });
  expect(await watched.source.tryOnce()).toEqual({ ok: true, value: "bundles of example.org, partner.net" });
});

test("an agent that is away, refuses or talks nonsense takes nothing back", async () => {
  const agent = await startSpiffeAgent();
  const watched = watch(agent.socketPath);
  agent.deny(status.PERMISSION_DENIED);
  watched.source.start();
  await until(() => expect(watched.source.status().state).toBe("failing"));
  agent.give(encodeX509Bundles({ "example.org": own.certificate }), "FetchX509Bundles");
  await until(() => expect(watched.source.status().state).toBe("ready"));
  agent.give(Buffer.from("ffff", "hex"), "FetchX509Bundles");
  await until(() => expect(watched.source.status()).toMatchObject({ state: "stale", tries: { unusable: 1 } }));
  agent.stop();
  await until(() => expect(watched.source.status().fault?.text).toMatch(/no agent listens/));
  expect(domains(watched)).toEqual(["example.org"]);
});

/** One entry of the map as bytes: field 2, with key and value. */
function entry(field: number, key: string, value: Buffer): Buffer {
  const part = (number: number, bytes: Buffer) => Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  return part(field, Buffer.concat([part(1, Buffer.from(key)), part(2, value)]));
}

test.each<[string, Buffer, RegExp]>([
  [
    "two bundles of a domain",
    Buffer.concat([entry(1, "a.org", Buffer.from("{}")), entry(1, "spiffe://a.org", Buffer.from("{}"))]),
    /two bundles of a\.org/,
  ],
  ["a domain in capitals", entry(1, "spiffe://A.org", Buffer.from("{}")), /no trust domain/],
  ["a domain with a path", entry(1, "spiffe://a.org/b", Buffer.from("{}")), /no trust domain/],
  [
    "65 domains",
    Buffer.concat(Array.from({ length: 65 }, (_, at) => entry(1, `a${at}`, Buffer.from("{}")))),
    /65 bundles/,
  ],
  ["bytes that are no message", Buffer.from("ffff", "hex"), /no protocol buffer/],
])("an answer with %s is none", (_, message, text) => {
  const read = readJwtBundles(message);
  expect(read.ok ? "none" : read.error).toMatch(text);
});

test("a bundle of bytes that are no certificates is none, and one without any domain is no fault", () => {
  const read = readX509Bundles(entry(2, "a.org", Buffer.from("abc")));
  expect(read.ok ? "none" : read.error).toMatch(/the bundle of a\.org cannot be read/);
  expect(readX509Bundles(Buffer.alloc(0)).ok).toBe(true);
});

import { X509Certificate } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { fieldsOf } from "../../src/spiffe/protobuf.ts";
import { WorkloadSource } from "../../src/spiffe/workload-source.ts";
import { MessageReader } from "../../src/spiffe/workload-stream.ts";
import { readIdentity } from "../../src/spiffe/x509-svid.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";
import { type AgentSvid, encodeResponse, type SpiffeAgent, startSpiffeAgent } from "../fixtures/spiffe-agent.ts";

const ID = "spiffe://example.org/orders";

let root: Authority;
let partner: Authority;
beforeAll(async () => {
  root = await createAuthority("example.org");
  partner = await createAuthority("partner.net");
});

async function svid(spiffeId = ID, authority = root, notAfterMs?: number): Promise<AgentSvid> {
  const times = notAfterMs === undefined ? {} : { notAfterMs };
  const issued = await authority.issue({ subject: "O=SPIRE", usage: "server", uris: [spiffeId], ...times });
  return { spiffeId, ...issued, bundle: root.certificate };
}

const sources: WorkloadSource[] = [];
afterEach(async () => {
  for (const source of sources.splice(0)) source.close();
  await closeAll();
});

interface Watched {
  readonly source: WorkloadSource;
  readonly states: string[];
  readonly clock: { ms: number };
  recompiled: number;
}

/** Real timers, with pauses that a test can wait for. */
function watch(socketPath: string, spiffeId: string | null = null): Watched {
  const watched = { states: [] as string[], clock: { ms: Date.now() }, recompiled: 0 };
  const world = resourceWorld({
    clock: { wallMs: () => watched.clock.ms, monotonicMs: () => watched.clock.ms },
    timers: { after: (ms: number, run: () => void) => systemTimers.after(ms > 5_000 ? ms : ms / 20, run) },
    changed: () => watched.states.push(source.status().state),
    recompile: () => {
      watched.recompiled++;
    },
  });
  const source: WorkloadSource = new WorkloadSource({ socketPath, spiffeId }, world);
  sources.push(source);
  return Object.assign(watched, { source });
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000 });
const idOf = ({ source }: Watched): string => source.material?.identity.spiffeId ?? "none";
const serialOf = ({ source }: Watched): string | undefined => source.material?.identity.chain[0]?.serialNumber;

describe("an agent over a real gRPC server", () => {
  let agent: SpiffeAgent;

  test("gives identity and bundles, and each renewal over the same stream", async () => {
    agent = await startSpiffeAgent();
    const watched = watch(agent.socketPath);
    expect(watched.source.status()).toMatchObject({ state: "starting", freshAtMs: null, gatesReadiness: true });
    watched.source.start();
    const [first, second] = [await svid(), await svid()];
    agent.give(encodeResponse([first], { "spiffe://partner.net": partner.certificate }));
    await until(() => expect(idOf(watched)).toBe(ID));
    const { identity } = watched.source.material ?? {};
    expect([...(identity?.bundles.keys() ?? [])].sort()).toEqual(["example.org", "partner.net"]);
    expect(new X509Certificate(identity?.certificate ?? "").checkPrivateKey).toBeDefined();
    expect(watched.source.status().state).toBe("ready");
    agent.give(encodeResponse([second]));
    await until(() => expect(serialOf(watched)).toBe(new X509Certificate(second.certificate).serialNumber));
    expect(agent.streams.size).toBe(1);
    // The same once more is no news.
    agent.give(encodeResponse([second]));
    await until(() => expect(watched.source.status().tries).toMatchObject({ ok: 2, unchanged: 1 }));
    expect(watched.recompiled).toBe(2);
    expect(agent.unmarked).toBe(0);
  });

  test("that is away and comes back is asked again; its last identity serves meanwhile, until it expires", async () => {
    agent = await startSpiffeAgent();
    const watched = watch(agent.socketPath);
    const [first, second] = [await svid(), await svid()];
    agent.give(encodeResponse([first]));
    watched.source.start();
    await until(() => expect(idOf(watched)).toBe(ID));
    agent.stop();
    await until(() => expect(watched.source.status().state).toBe("stale"));
    await until(() => expect(watched.source.status().tries.failed).toBeGreaterThan(2));
    expect(watched.source.status().fault?.text).toMatch(/^no agent listens there/);
    expect(serialOf(watched)).toBe(new X509Certificate(first.certificate).serialNumber);
    const endMs = new X509Certificate(first.certificate).validToDate.getTime();
    expect(watched.source.status().staleUntilMs).toBe(endMs);
    watched.clock.ms = endMs + 1;
    expect(watched.source.status().state).toBe("failing");
    agent.give(encodeResponse([second]));
    await agent.start();
    await until(() => expect(serialOf(watched)).toBe(new X509Certificate(second.certificate).serialNumber));
    expect(watched.source.status().fault).not.toBeNull();
  });

  test("that has no identity for this process says so, and gives it later", async () => {
    agent = await startSpiffeAgent();
    agent.deny(status.PERMISSION_DENIED);
    const watched = watch(agent.socketPath);
    watched.source.start();
    await until(() => expect(watched.source.status().fault?.text).toMatch(/^PERMISSION_DENIED/));
    expect(watched.source.status().state).toBe("failing");
    expect(await watched.source.tryOnce()).toMatchObject({ ok: false });
    agent.give(encodeResponse([await svid()]));
    await until(() => expect(watched.source.status().state).toBe("ready"));
    expect(await watched.source.tryOnce()).toEqual({ ok: true, value: `${ID}, 1 trust domains` });
  });

  test("whose answer cannot be used replaces nothing", async () => {
    agent = await startSpiffeAgent();
    const watched = watch(agent.socketPath);
    const good = await svid();
    agent.give(encodeResponse([good]));
    watched.source.start();
    await until(() => expect(idOf(watched)).toBe(ID));
    const other = await svid();
    for (const bad of [
      Buffer.from("nonsense"),
      encodeResponse([]),
      encodeResponse([{ ...good, key: other.key }]),
      encodeResponse([{ ...good, spiffeId: "spiffe://example.org/admin" }]),
      encodeResponse([{ ...good, bundle: "" }]),
      encodeResponse([good], { "Not a domain": root.certificate }),
    ]) {
      const { unusable } = watched.source.status().tries;
      agent.give(bad);
      await until(() => expect(watched.source.status().tries.unusable).toBe(unusable + 1));
      expect(watched.source.status().state).toBe("stale");
      expect(serialOf(watched)).toBe(new X509Certificate(good.certificate).serialNumber);
    }
    expect(watched.recompiled).toBe(1);
  });

  test("of several identities gives the one that the policy names", async () => {
    agent = await startSpiffeAgent();
    const other = await svid("spiffe://example.org/other");
    agent.give(encodeResponse([other, await svid()]));
    const [named, first, missing] = [
      watch(agent.socketPath, ID),
      watch(agent.socketPath),
      watch(agent.socketPath, "spiffe://example.org/nobody"),
    ];
    for (const { source } of [named, first, missing]) source.start();
    await until(() => expect([idOf(named), idOf(first)]).toEqual([ID, "spiffe://example.org/other"]));
    await until(() => expect(missing.source.status().fault?.text).toContain("no identity spiffe://example.org/nobody"));
  });

  test("is left alone once the resource is closed", async () => {
    agent = await startSpiffeAgent();
    const watched = watch(agent.socketPath);
    agent.give(encodeResponse([await svid()]));
    watched.source.start();
    await until(() => expect(agent.streams.size).toBe(1));
    watched.source.close();
    await until(() => expect(agent.streams.size).toBe(0));
    expect(watched.source.status().tries.failed).toBe(0);
  });
});

describe("bytes from an agent", () => {
  test("that are cut off anywhere are no identity, and nothing throws", async () => {
    const whole = encodeResponse([await svid()], { "partner.net": partner.certificate });
    expect(readIdentity(whole, null).ok).toBe(true);
    for (let length = 0; length < whole.length; length++) readIdentity(whole.subarray(0, length), null);
    expect(readIdentity(whole.subarray(0, whole.length - 1), null).ok).toBe(false);
    for (let at = 0; at < whole.length; at += 7) {
      const broken = Buffer.from(whole);
      broken.writeUInt8((broken[at] ?? 0) ^ 0x55, at);
      readIdentity(broken, null);
    }
  });

  test("may have fields that nobody here knows, of every kind", () => {
    const known = Buffer.from([0x0a, 1, 0x41]);
    const others = [
      Buffer.from([0x50, 0x96, 0x01]),
      Buffer.from([0x59, ...Array(8).fill(1)]),
      Buffer.from([0x5d, 1, 1, 1, 1]),
    ];
    expect(fieldsOf(Buffer.concat([...others, known]))).toEqual([{ number: 1, bytes: Buffer.from("A") }]);
    for (const bad of [[0x0a], [0x0a, 2, 0x41], [0x00, 1], [0x0b], [0x59, 1], [0x50, ...Array(11).fill(0xff)]]) {
      expect(fieldsOf(Buffer.from(bad))).toBeNull();
    }
  });

  test("come in whatever pieces, and no message is larger than it may be", () => {
    const frame = (text: string): Buffer => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(text.length, 1);
      return Buffer.concat([head, Buffer.from(text)]);
    };
    const bytes = Buffer.concat([frame("one"), frame(""), frame("three")]);
    for (let size = 1; size <= bytes.length; size++) {
      const reader = new MessageReader();
      const read: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        read.push(...reader.read(bytes.subarray(at, at + size)).map(String));
      }
      expect(read).toEqual(["one", "", "three"]);
    }
    const endless = new MessageReader();
    expect(endless.read(Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]))).toEqual([]);
    expect(endless.fault).toBe("a message of 2147483647 bytes");
    const compressed = new MessageReader();
    compressed.read(Buffer.from([1, 0, 0, 0, 0]));
    expect(compressed.fault).toContain("compressed");
  });
});

import { X509Certificate } from "node:crypto";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Resources } from "../../src/resources/registry.ts";
import { readBundleDocument } from "../../src/spiffe/bundle-document.ts";
import { BundleSource, type OwnEndpoint } from "../../src/spiffe/bundle-source.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles, testResources } from "../fixtures/outside.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { closeAll } from "../fixtures/proxy.ts";

let pki: TestPki;
let partner: Authority;
let next: Authority;
let leaf: string;
beforeAll(async () => {
  pki = await createTestPki();
  partner = await createAuthority("partner.net");
  next = await createAuthority("partner.net next");
  leaf = (await partner.issue({ subject: "CN=x", usage: "client" })).certificate;
});

const entry = (pem: string, use = "x509-svid") => ({
  kty: "EC",
  use,
  x5c: [new X509Certificate(pem).raw.toString("base64")],
});
const documentOf = (...pems: readonly string[]) => ({
  keys: [{ kty: "EC", use: "jwt-svid", kid: "a", crv: "P-256", x: "AA", y: "AA" }, ...pems.map((pem) => entry(pem))],
  spiffe_sequence: 1,
  spiffe_refresh_hint: 600,
});

describe("a bundle document", () => {
  const read = (value: unknown) => readBundleDocument(Buffer.from(JSON.stringify(value)));
  const faultOf = (value: unknown): string => {
    const result = read(value);
    return result.ok ? "none" : result.error;
  };

  test("gives the authorities of use x509-svid, and when it wants to be asked again, within bounds", () => {
    const result = read(documentOf(partner.certificate, next.certificate));
    if (!result.ok) throw new Error(result.error);
    expect(result.value.bundle.certificates.map(({ subject }) => subject)).toEqual([
      "CN=partner.net",
      "CN=partner.net next",
    ]);
    expect(result.value.refreshMs).toBe(600_000);
    for (const [hint, ms] of [
      [0, 60_000],
      [-5, 60_000],
      [1e12, 3_600_000],
      ["soon", 300_000],
    ] as const) {
      const one = read({ ...documentOf(partner.certificate), spiffe_refresh_hint: hint });
      expect(one.ok && one.value.refreshMs).toBe(ms);
    }
  });

  test("leaves out what is no authority, and is none without any", () => {
    const mixed = read({ keys: [entry(leaf), { use: "x509-svid", x5c: [] }, entry(partner.certificate), null, 7] });
    expect(mixed.ok && mixed.value.leftOut).toHaveLength(2);
    expect(mixed.ok && mixed.value.bundle.certificates).toHaveLength(1);
    expect(faultOf({ keys: [entry(leaf)] })).toContain("no authority of use x509-svid");
    expect(faultOf({ keys: [entry(partner.certificate, "jwt-svid")] })).toContain("no authority");
    expect(faultOf({ keys: [{ use: "x509-svid", x5c: [entry(partner.certificate).x5c[0], "AAAA"] }] })).toContain(
      "no authority",
    );
    expect(faultOf({ keys: Array(65).fill(entry(partner.certificate)) })).toBe("65 keys");
    expect(faultOf({ keys: [] })).toContain("no authority");
    expect(faultOf({})).toBe("no 'keys'");
    expect(faultOf([])).toContain("not a JSON object");
    const twice = readBundleDocument(Buffer.from('{"keys":[],"keys":[]}'));
    expect(twice.ok || twice.error).toContain("twice");
  });
});

describe("a bundle endpoint", () => {
  let provider: TestProvider;
  let time: ManualTime;
  let files: MemoryFiles;
  beforeEach(async () => {
    provider = await startProvider(pki);
    time = new ManualTime(Date.now());
    files = new MemoryFiles();
  });
  afterEach(closeAll);

  interface Opened {
    readonly source: BundleSource;
    readonly registry: Resources;
    recompiled: number;
  }

  function open(own: OwnEndpoint | null = null): Opened {
    const registry = testResources({ clock: time, timers: time, files });
    const opened = { registry, recompiled: 0 };
    registry.reportTo({
      onState: () => {},
      onNote: () => {},
      onFolder: () => {},
      onRecompile: () => {
        opened.recompiled++;
      },
    });
    const acquisition = registry.begin("/state");
    const url = new URL(`${provider.origin}/bundle`);
    const call = {
      ca: Buffer.from(pki.ca.certificate),
      certificate: null,
      key: null,
      proxy: null,
      namedHosts: new Set(["localhost"]),
      socketPath: null,
      connectTimeoutMs: 5_000,
      timeoutMs: 5_000,
      answerBytesMax: 100_000,
      breaks: false,
    };
    const source = acquisition.acquire(
      "spiffe-bundle",
      ["a"],
      (world) => new BundleSource({ trustDomain: "partner.net", url, call, own }, world),
    );
    registry.follow(acquisition);
    return Object.assign(opened, { source });
  }

  const settled = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000 });
  const namesOf = ({ source }: Opened): string[] =>
    source.material?.bundle.certificates.map(({ subject }) => subject ?? "") ?? [];
  const triesOf = ({ source }: Opened) => source.status().tries;

  test("is asked as often as it wants, and a new bundle has the policy compiled anew", async () => {
    provider.answers.set("/bundle", documentOf(partner.certificate));
    const one = open();
    await settled(() => expect(namesOf(one)).toEqual(["CN=partner.net"]));
    await settled(() => expect(time.nextMs).toBe(570_000));
    time.pass(570_000);
    await settled(() => expect(triesOf(one)).toMatchObject({ ok: 1, unchanged: 1 }));
    provider.answers.set("/bundle", documentOf(partner.certificate, next.certificate));
    await settled(() => expect(time.nextMs).toBe(570_000));
    time.pass(570_000);
    await settled(() => expect(namesOf(one)).toEqual(["CN=partner.net", "CN=partner.net next"]));
    expect(one.recompiled).toBe(2);
    expect(one.source.status()).toMatchObject({ state: "ready", detail: "2 authorities" });
  });

  test("that is down or talks nonsense changes nothing, and is asked again with pauses", async () => {
    provider.answers.set("/bundle", documentOf(partner.certificate));
    const one = open();
    await settled(() => expect(triesOf(one).ok).toBe(1));
    await settled(() => expect(time.nextMs).toBeLessThan(600_000));
    provider.answers.set("/bundle", { keys: [] });
    time.pass(600_000);
    await settled(() => expect(triesOf(one).unusable).toBe(1));
    expect(one.source.status()).toMatchObject({ state: "stale" });
    await settled(() => expect(time.nextMs).toBeLessThanOrEqual(1_000));
    provider.answers.set("/bundle", "x".repeat(200_000));
    time.pass(1_000);
    await settled(() => expect(triesOf(one).failed).toBe(1));
    provider.goDown();
    await settled(() => expect(time.nextMs).toBeLessThanOrEqual(60_000));
    time.pass(60_000);
    await settled(() => expect(triesOf(one).failed).toBe(2));
    expect(namesOf(one)).toEqual(["CN=partner.net"]);
    expect(one.recompiled).toBe(1);
    expect(one.source.status().fault?.text).toContain(`${provider.origin}/bundle`);
  });

  test("that is down at the start has its last bundle in the state folder", async () => {
    provider.answers.set("/bundle", documentOf(partner.certificate));
    const before = open();
    await settled(() => expect(files.contents.size).toBe(1));
    before.registry.close();
    provider.goDown();
    const after = open();
    await settled(() => expect(namesOf(after)).toEqual(["CN=partner.net"]));
    await settled(() => expect(after.source.status()).toMatchObject({ state: "stale", freshAtMs: null }));
    expect(after.recompiled).toBe(1);
  });

  test("is tried once for 'check --online'", async () => {
    const { source } = open();
    expect(await source.tryOnce()).toMatchObject({ ok: false });
    provider.answers.set("/bundle", documentOf(partner.certificate));
    expect(await source.tryOnce()).toEqual({ ok: true, value: "1 authorities" });
  });
});

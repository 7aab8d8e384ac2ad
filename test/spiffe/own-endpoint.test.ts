// Goal: an endpoint of profile https_spiffe is believed by its SPIFFE ID and its domain's own bundle, and by nothing else.
// Method: a TLS server with identities of real authorities; a registry whose time is moved by hand.
import { X509Certificate } from "node:crypto";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { BundleSource } from "../../src/spiffe/bundle-source.ts";
import { type Authority, createAuthority, type LeafWishes } from "../fixtures/authority.ts";
import { type BundleEndpoint, startBundleEndpoint } from "../fixtures/bundle-endpoint.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles, testResources } from "../fixtures/outside.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { closeAll } from "../fixtures/proxy.ts";

const ID = "spiffe://partner.net/spire/server";

let first: Authority;
let next: Authority;
let stranger: Authority;
beforeAll(async () => {
  [first, next, stranger] = [await createAuthority("first"), await createAuthority("next"), await createAuthority("x")];
});

const svid = (authority: Authority, more: Partial<LeafWishes> = {}) =>
  authority.issue({ subject: "O=SPIRE", usage: "both", uris: [ID], ...more });

let endpoint: BundleEndpoint;
let time: ManualTime;
let files: MemoryFiles;
beforeEach(async () => {
  endpoint = await startBundleEndpoint(await svid(first));
  endpoint.publish(first.certificate);
  time = new ManualTime(Date.now());
  files = new MemoryFiles();
});
afterEach(closeAll);

function open(bootstrap = first) {
  const registry = testResources({ clock: time, timers: time, files });
  const acquisition = registry.begin("/state");
  const call = {
    ca: null,
    certificate: null,
    key: null,
    proxy: null,
    namedHosts: new Set(["127.0.0.1"]),
    socketPath: null,
    connectTimeoutMs: 5_000,
    timeoutMs: 5_000,
    answerBytesMax: 100_000,
    breaks: false,
  };
  const pem = Buffer.from(bootstrap.certificate);
  const own = { spiffeId: ID, bootstrap: { pem, certificates: [new X509Certificate(pem)] } };
  const settings = { trustDomain: "partner.net", url: new URL(endpoint.url), call, own };
  const source = acquisition.acquire("spiffe-bundle", ["a"], (world) => new BundleSource(settings, world));
  registry.follow(acquisition);
  return { source, registry };
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: PATIENCE_MS });
const namesOf = ({ source }: ReturnType<typeof open>) =>
  source.material?.bundle.certificates.map(({ subject }) => subject ?? "") ?? [];
const fault = ({ source }: ReturnType<typeof open>) => source.status().fault?.text ?? "";

test("the file that it begins with serves at once, and what the endpoint says vouches for the next", async () => {
  const one = open();
  await until(() => expect(one.source.status().state).toBe("ready"));
  expect(namesOf(one)).toEqual(["CN=first"]);
  endpoint.publish(first.certificate, next.certificate);
  await until(() => expect(time.nextMs).toBeLessThanOrEqual(60_000));
  time.pass(60_000);
  await until(() => expect(namesOf(one)).toEqual(["CN=first", "CN=next"]));
  // The domain has gone over to its next authority, which no file of ours knows.
  endpoint.show(await svid(next));
  endpoint.publish(next.certificate);
  await until(() => expect(time.nextMs).toBeLessThanOrEqual(60_000));
  time.pass(60_000);
  await until(() => expect(namesOf(one)).toEqual(["CN=next"]));
  // The one of the file is none any more.
  endpoint.show(await svid(first));
  endpoint.publish(stranger.certificate);
  await until(() => expect(time.nextMs).toBeLessThanOrEqual(60_000));
  time.pass(60_000);
  await until(() => expect(one.source.status().state).toBe("stale"));
  expect(namesOf(one)).toEqual(["CN=next"]);
});

test.each<[string, () => ReturnType<typeof svid>]>([
  ["another ID of the domain", () => svid(first, { uris: ["spiffe://partner.net/shop"] })],
  ["two IDs", () => svid(first, { uris: [ID, "spiffe://partner.net/shop"] })],
  ["no ID, though its host's name is right", () => svid(first, { uris: [], dnsNames: ["localhost"] })],
  ["the ID from another authority", () => svid(stranger)],
  ["an ID that has ended", () => svid(first, { notAfterMs: Date.now() - 1_000 })],
  ["an ID for clients alone", () => svid(first, { usage: "client" })],
])("an endpoint with %s is not believed", async (_, identity) => {
  endpoint.show(await identity());
  endpoint.publish(stranger.certificate);
  const one = open();
  await until(() => expect(one.source.status().tries.failed).toBe(1));
  expect(namesOf(one)).toEqual(["CN=first"]);
  expect(endpoint.asked).toEqual([]);
  expect(fault(one)).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/bundle: /);
  expect(await one.source.tryOnce()).toMatchObject({ ok: false });
});

test("what came last is kept for the next start, for as long as the file is the same", async () => {
  endpoint.publish(next.certificate);
  const before = open();
  await until(() => expect(namesOf(before)).toEqual(["CN=next"]));
  await until(() => expect(files.contents.size).toBe(1));
  before.registry.close();
  const after = open();
  await until(() => expect(namesOf(after)).toEqual(["CN=next"]));
  after.registry.close();
  endpoint.show(await svid(stranger));
  endpoint.publish(stranger.certificate);
  const anew = open(stranger);
  await until(() => expect(anew.source.status().state).toBe("ready"));
  expect(namesOf(anew)).toEqual(["CN=x"]);
});

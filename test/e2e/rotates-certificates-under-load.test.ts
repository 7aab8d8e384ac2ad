// Goal: certificates rotate as SPIRE's helper, cert-manager and certbot write them, and no request fails for it.
// Method: a new connection for every request, client certificate and all, while the files change hands several times.
import { X509Certificate } from "node:crypto";
import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { createDevelopmentCa, type DevelopmentCa, type Issued } from "../../src/cli/development-ca.ts";
import {
  eventually,
  ORDER_SCHEMA,
  ordersPolicy,
  type Postern,
  startPostern,
  startService,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

afterEach(closeAll);

const ROTATIONS = 3;

/** What stands in the files at one time. */
interface Set {
  readonly server: Issued;
  readonly client: Issued;
  readonly fingerprint: string;
}

async function makeSet(ca: DevelopmentCa): Promise<Set> {
  const server = await ca.issue({ commonName: "localhost", usage: "server", dnsNames: ["localhost"] });
  const client = await ca.issue({
    commonName: "billing",
    usage: "client",
    uris: ["spiffe://example.org/ns/shop/sa/billing"],
  });
  return { server, client, fingerprint: new X509Certificate(server.certificate).fingerprint256 };
}

interface Visit {
  readonly status: number;
  readonly fingerprint: string;
}

/** One request over a connection of its own; rejects where anything fails. */
function visit(port: number, ca: string, { certificate, key }: Issued): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost", cert: certificate, key });
    let fingerprint = "";
    let answer = "";
    socket.once("secureConnect", () => {
      fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? "";
      socket.write("GET /mesh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    });
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve({ status: Number(answer.slice(9, 12)), fingerprint }));
  });
}

interface Layout {
  /** Names for the policy. */
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  put(folder: string, set: Set, ca: string, generation: number): void;
}

const plainWrite = (folder: string, name: string, content: string): void => writeFileSync(join(folder, name), content);

/** One file after another, each written where it stands. */
const SPIFFE_HELPER: Layout = {
  certificate: "svid.pem",
  key: "svid_key.pem",
  ca: "bundle.pem",
  put: (folder, { server }, ca) => {
    plainWrite(folder, "svid.pem", server.certificate);
    plainWrite(folder, "svid_key.pem", server.key);
    plainWrite(folder, "bundle.pem", ca);
  },
};

/** A folder of all three; the link that leads there is replaced. */
const CERT_MANAGER: Layout = {
  certificate: "tls.crt",
  key: "tls.key",
  ca: "ca.crt",
  put: (folder, { server }, ca, generation) => {
    const name = `..${generation}`;
    mkdirSync(join(folder, name));
    plainWrite(folder, `${name}/tls.crt`, server.certificate);
    plainWrite(folder, `${name}/tls.key`, server.key);
    plainWrite(folder, `${name}/ca.crt`, ca);
    symlinkSync(name, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    if (generation > 0) return;
    for (const file of ["tls.crt", "tls.key", "ca.crt"]) symlinkSync(`..data/${file}`, join(folder, file));
  },
};

/** New files in archive/, then each link in live/ taken away and made anew. */
const CERTBOT: Layout = {
  certificate: "live/fullchain.pem",
  key: "live/privkey.pem",
  ca: "clients.pem",
  put: (folder, { server }, ca, generation) => {
    for (const name of ["live", "archive"]) mkdirSync(join(folder, name), { recursive: true });
    plainWrite(folder, `archive/privkey${generation}.pem`, server.key);
    plainWrite(folder, `archive/fullchain${generation}.pem`, server.certificate);
    for (const name of ["privkey", "fullchain"]) {
      const link = join(folder, `live/${name}.pem`);
      if (generation > 0) unlinkSync(link);
      symlinkSync(`../archive/${name}${generation}.pem`, link);
    }
    if (generation === 0) plainWrite(folder, "clients.pem", ca);
  },
};

async function start(layout: Layout, first: Set, ca: string): Promise<Postern> {
  const files = { "order.json": ORDER_SCHEMA, "server.pem": first.server.certificate, "server.key": first.server.key };
  const service = await startService();
  const postern = await startPostern(service.port, ordersPolicy, { ...files, "ca.pem": ca });
  layout.put(postern.folder, first, ca, 0);
  const policy = ordersPolicy(postern)
    .replace("certificate: server.pem", `certificate: ${layout.certificate}`)
    .replace("key: server.key", `key: ${layout.key}`)
    .replace("ca: ca.pem", `ca: ${layout.ca}`);
  postern.write("policy.yaml", policy);
  await postern.logged((line) => line["event"] === "reload" && line["result"] === "ok");
  return postern;
}

test.each([
  ["SPIRE's helper, which writes svid.pem, svid_key.pem and bundle.pem one after another", SPIFFE_HELPER],
  ["cert-manager, whose ..data is swapped", CERT_MANAGER],
  ["certbot, whose links lead to other files", CERTBOT],
])(
  "no request fails while certificates rotate as by %s",
  async (_, layout) => {
    const ca = await createDevelopmentCa("rotating", Date.now());
    const sets = [await makeSet(ca)];
    for (let at = 0; at < ROTATIONS; at++) sets.push(await makeSet(ca));
    const [first] = sets as [Set, ...Set[]];
    const postern = await start(layout, first, ca.certificate);
    let current = first;
    let isOver = false;
    const seen = new Map<string, number>();
    const failures: unknown[] = [];
    const client = async (): Promise<void> => {
      while (!isOver) {
        // Whoever holds the certificate of before still comes with it.
        const identity = (seen.size % 2 === 0 ? first : current).client;
        const one = await visit(postern.port, ca.certificate, identity).catch((error: unknown) => {
          failures.push(error);
          return null;
        });
        if (one === null) continue;
        if (one.status !== 200) failures.push(one);
        seen.set(one.fingerprint, (seen.get(one.fingerprint) ?? 0) + 1);
      }
    };
    const clients = Promise.all([client(), client(), client(), client()]);
    for (const [at, set] of sets.entries()) {
      if (at > 0) layout.put(postern.folder, set, ca.certificate, at);
      current = set;
      await eventually(
        () => Promise.resolve(seen.get(set.fingerprint) ?? 0),
        (count) => count >= 5,
      );
    }
    isOver = true;
    await clients;
    expect(failures).toEqual([]);
    // Nothing but whole pairs was ever shown: another certificate would have no key that fits, and no handshake.
    expect([...seen.keys()].sort()).toEqual(sets.map(({ fingerprint }) => fingerprint).sort());
  },
  120_000,
);

test("a trust bundle that rotates with the certificates lets clients of both authorities in while it has both", async () => {
  const [before, after] = [
    await createDevelopmentCa("before", Date.now()),
    await createDevelopmentCa("after", Date.now()),
  ];
  const both = before.certificate + after.certificate;
  const [first, second] = [await makeSet(before), await makeSet(after)];
  const postern = await start(SPIFFE_HELPER, first, both);
  const status = async (one: Set): Promise<number> => (await visit(postern.port, both, one.client)).status;
  expect([await status(first), await status(second)]).toEqual([200, 200]);
  SPIFFE_HELPER.put(postern.folder, second, both, 1);
  await eventually(
    async () => (await visit(postern.port, both, first.client)).fingerprint,
    (fingerprint) => fingerprint === second.fingerprint,
  );
  expect([await status(first), await status(second)]).toEqual([200, 200]);
  SPIFFE_HELPER.put(postern.folder, second, after.certificate, 2);
  await eventually(
    () => status(first),
    (code) => code === 401,
  );
  expect(await status(second)).toBe(200);
}, 120_000);

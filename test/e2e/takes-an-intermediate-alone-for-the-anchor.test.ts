// Goal: a CA file that holds an intermediate and no root is the anchor that it is meant to be, towards clients and services.
// Method: a chain of openssl's, curl with its end, a TLS service that shows the same end, one stranger of the same root.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Postern, startPostern } from "../fixtures/postern.ts";
import { runProgram } from "../fixtures/program.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

let folder: string;
let postern: Postern;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-chain-"));
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  const ca = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n";
  const end = "extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=DNS:localhost\n";
  issue("root", null, ca);
  issue("intermediate", "root", ca);
  issue("other", "root", ca);
  issue("end", "intermediate", end);
  issue("stranger", "other", end);
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const service = createServer({ key: read("end.key"), cert: read("end.pem") }, (_, response) => response.end("ok"));
  postern = await startPostern(
    await listen(service),
    ({ port, app }) => `version: 1
service: chain
listeners:
  - name: in
    address: '127.0.0.1:${port}'
    upstream: app
    tls: { certificate: server.pem, key: server.key, clientCertificate: { mode: required, ca: intermediate.pem } }
upstreams: { app: { address: 'https://localhost:${app}', tls: { ca: intermediate.pem } } }
authenticators: { mtls: { type: client-certificate } }
routes: [{ path: /**, authenticate: [mtls] }]
`,
    { "intermediate.pem": read("intermediate.pem") },
  );
}, 60_000);
afterAll(closeAll);

/** NAME.pem and NAME.key, signed by `issuer`, or by itself. */
function issue(name: string, issuer: string | null, extensions: string): void {
  const openssl = (...args: string[]): unknown => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  writeFileSync(join(folder, `${name}.ext`), extensions);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}.key`];
  openssl("req", ...key, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
  const signer =
    issuer === null
      ? ["-signkey", `${name}.key`]
      : ["-CA", `${issuer}.pem`, "-CAkey", `${issuer}.key`, "-CAcreateserial"];
  openssl(
    "x509",
    "-req",
    "-in",
    `${name}.csr`,
    ...signer,
    "-days",
    "9",
    "-extfile",
    `${name}.ext`,
    "-out",
    `${name}.pem`,
  );
}

const curl = (name: string): Promise<string> => {
  const own = ["--cert", join(folder, `${name}.pem`), "--key", join(folder, `${name}.key`)];
  return runProgram(["curl", "--silent", "--show-error", "--insecure", ...own, `https://localhost:${postern.port}/`]);
};

test("a client whose certificate it signed gets the answer of a service whose certificate it signed", async () => {
  expect(await curl("end")).toBe("ok");
});

test("a client of another intermediate of the same root does not", async () => {
  await expect(curl("stranger")).rejects.toThrow(/alert/);
});

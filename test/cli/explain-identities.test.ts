// Goal: 'explain' tells of every way to show who one is what it saw and what it wanted, whether the identity is supposed or
// shown whole; and says so where that would want somebody else's word.
import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parsePasswordHash, tagOf } from "../../src/filters/basic/password-hash.ts";
import { main } from "../../src/main.ts";
import type { Explanation } from "../../src/rehearsal/explanation.ts";
import { systemClock } from "../../src/support/clock.ts";
import { closeAll } from "../fixtures/closing.ts";
import { type Oidc, startOidc } from "../fixtures/oidc.ts";
import { theWorld } from "../fixtures/postern.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { ISSUER } from "../fixtures/tokens.ts";

const KEY = "pk_0123456789abcdef0123456789";
const HOOK_SECRET = "a secret of both sides, long enough";
const BODY = '{"action":"opened"}';

let folder: string;
let provider: TestProvider;
let oidc: Oidc;
let token: string;
/** Behind each method what shows it whole. */
const shown = new Map<string, readonly string[]>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "postern-explain-"));
  const { pki, mint } = await theWorld();
  provider = await startProvider(pki);
  provider.answers.set("/keys", mint.jwks);
  oidc = await startOidc(pki);
  token = await mint.token();
  const cheap = "$scrypt$ln=10,r=1,p=1$c2FsdHNhbHRzYWx0$";
  const hash = parsePasswordHash(`${cheap}${"A".repeat(43)}`);
  if (hash === null) throw new Error("no hash");
  const tag = (await tagOf(hash, Buffer.from("open sesame"))).toString("base64").replace(/=+$/, "");
  const files: Record<string, string> = {
    "server.pem": pki.server.certificate,
    "server.key": pki.server.key,
    "ca.pem": pki.ca.certificate,
    "client.pem": pki.client.certificate,
    "stranger.pem": pki.strangerClient.certificate,
    "jwks.json": mint.jwks,
    "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: ${createHash("sha256").update(KEY).digest("hex")} }] }]\n`,
    "users.yaml": `users: [{ name: ann, passwordHash: "${cheap}${tag}" }]\n`,
    hook: HOOK_SECRET,
    idp: oidc.clientSecret,
    "body.json": BODY,
    "policy.yaml": policy(),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const mac = createHmac("sha256", HOOK_SECRET).update(BODY).digest("hex");
  shown.set("filed", ["--token", token]);
  shown.set("mesh", ["--as", "{ certificate: client.pem }"]);
  shown.set("partners", ["-H", `X-Api-Key: ${KEY}`]);
  shown.set("staff", ["-H", `Authorization: Basic ${btoa("ann:open sesame")}`]);
  shown.set("hooks", ["-H", `X-Hub-Signature-256: sha256=${mac}`, "--body", "body.json"]);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await closeAll();
});

function policy(): string {
  const jwt = `type: jwt, issuer: '${ISSUER}', audience: orders, algorithms: [RS256]`;
  const route = (name: string) => `  - { path: /${name}, methods: [GET, POST], authenticate: [${name}] }\n`;
  const names = ["filed", "published", "opaque", "mesh", "partners", "staff", "hooks"];
  return `version: 1
service: orders
listeners:
  - name: inbound
    address: 127.0.0.1:8443
    tls: { certificate: server.pem, key: server.key, clientCertificate: { mode: optional, ca: ca.pem } }
upstreams: { app: { address: "http://127.0.0.1:3000" } }
authenticators:
  filed: { ${jwt}, keys: jwks.json }
  published: { ${jwt}, jwks: { url: "${provider.origin}/keys", ca: ca.pem } }
  opaque:
    type: introspection
    endpoint: "${oidc.issuer}/token/introspection"
    ca: ca.pem
    clientId: ${oidc.clientId}
    clientSecret: { file: idp }
    audience: "https://orders.example"
  mesh: { type: client-certificate }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  staff: { type: basic, users: users.yaml }
  hooks: { type: signature, scheme: github, secret: { file: hook }, caller: github }
routes:
${names.map(route).join("")}`;
}

async function explain(...args: readonly string[]): Promise<Explanation & { readonly text: string }> {
  let stdout = "";
  let stderr = "";
  const io = {
    stdout: (text: string) => {
      stdout += text;
    },
    stderr: (text: string) => {
      stderr += text;
    },
    cwd: folder,
    clock: systemClock,
  };
  await main(["explain", "--policy", "policy.yaml", "--json", ...args], io);
  if (stdout === "") throw new Error(stderr);
  return { ...(JSON.parse(stdout) as Explanation), text: stdout };
}

const told = ({ verdict, steps }: Explanation): unknown[] => {
  const step = steps.findLast(({ check }) => check === "authenticate");
  return [verdict.reason, step?.saw, step?.wanted];
};

describe("an identity that is supposed", () => {
  test.each([
    ["filed", "{ jwt: { sub: ann } }", 'filed knows "ann", no scopes'],
    ["published", "{ jwt: { sub: ann } }", 'published knows "ann", no scopes'],
    ["opaque", "{ jwt: { sub: ann } }", 'opaque knows "ann", no scopes'],
    ["partners", "{ api-key: acme }", 'partners knows "acme", no scopes'],
    ["partners", `{ api-key: ${KEY} }`, 'partners knows "acme", no scopes'],
    ["staff", "{ basic: ann }", 'staff knows "ann", no scopes'],
    ["hooks", "{ signature: github }", 'hooks knows "github", no scopes'],
  ])("of %s: %s", async (name, as, saw) => {
    expect(told(await explain("--as", as, `GET /${name}`))).toEqual([null, saw, null]);
  });

  test("may be a whole token, as if its signature were good, wherever its keys are", async () => {
    for (const name of ["filed", "published"]) {
      const explained = await explain("--as", `{ jwt: ${token} }`, `GET /${name}`);
      expect(explained.verdict).toMatchObject({ allowed: true });
      expect(explained.text).not.toContain(token.slice(0, 40));
    }
    const late = await (await theWorld()).mint.token({ exp: 1_000 });
    expect((await explain("--as", `{ jwt: ${late} }`, "GET /published")).verdict.reason).toBe("token_expired");
    await expect(explain("--as", "{ jwt: opaque-text }", "GET /filed")).rejects.toThrow("an opaque token (1 part)");
  });

  test.each([
    ["filed", "{ jwt: { aud: others } }", ["token_audience_mismatch", 'aud "others"', 'aud "orders"']],
    ["opaque", "{ jwt: { aud: others } }", ["token_audience_mismatch", 'aud "others"', 'aud "https://orders.example"']],
    [
      "partners",
      "{ api-key: pk_wrong }",
      ["api_key_unknown", "neither a caller of this name nor a key", "one key of 1 callers"],
    ],
    ["staff", "{ basic: bob }", ["password_wrong", 'no user named "bob"', "a user's name and password"]],
    [
      "hooks",
      "{ signature: bob }",
      ["proof_key_unknown", 'nobody named "bob"', "the caller of a key of this authenticator"],
    ],
    ["mesh", "{ certificate: stranger.pem }", ["certificate_issuer_unknown", expect.any(String), expect.any(String)]],
  ])("of %s that is not good: %s", async (name, as, wanted) => {
    expect(told(await explain("--as", as, `GET /${name}`))).toEqual(wanted);
  });

  test("that is none is no use of the command", async () => {
    for (const as of ["{ jwt: 1 }", "{ signature: {} }", "{ certificate: [] }", "{ password: x }", "text", "{", "{}"]) {
      await expect(explain("--as", as, "GET /filed"), as).rejects.toThrow("--as: expected");
    }
  });
});

describe("an identity that is shown whole", () => {
  test.each(["filed", "mesh", "partners", "staff", "hooks"])("by %s is verified", async (name) => {
    const args = shown.get(name) ?? [];
    const explained = await explain(...args, `POST /${name}`);
    expect(explained.verdict, explained.text).toMatchObject({ allowed: true });
    for (const secret of [KEY, token, "open sesame", HOOK_SECRET]) expect(explained.text).not.toContain(secret);
  });

  test.each([
    ["partners", ["-H", "X-Api-Key: pk_wrong"], "api_key_unknown"],
    ["staff", ["-H", `Authorization: Basic ${btoa("ann:wrong")}`], "password_wrong"],
    [
      "hooks",
      ["-H", `X-Hub-Signature-256: sha256=${"0".repeat(64)}`, "--body", "body.json"],
      "proof_signature_invalid",
    ],
  ])("by %s and not good is told as that", async (name, args, reason) => {
    expect((await explain(...args, `POST /${name}`)).verdict.reason).toBe(reason);
  });
});

describe("an identity that wants somebody else's word", () => {
  test("is not known without it, which is said, and nobody is asked", async () => {
    const asked = [provider.asked.length, oidc.asked.length];
    const published = await explain("--token", token, "GET /published");
    expect(told(published).slice(0, 2)).toEqual(["keys_unavailable", "no keys: nobody was asked for them"]);
    const opaque = await explain("--token", "opaque-token", "GET /opaque");
    expect(told(opaque).slice(0, 2)).toEqual([
      "introspection_unavailable",
      "nobody was asked, for the policy is only looked at",
    ]);
    for (const { hint } of [published, opaque]) expect(hint).toContain("--online");
    expect([provider.asked.length, oidc.asked.length]).toEqual(asked);
  });

  test("is known with --online, by one question", async () => {
    const before = provider.asked.length;
    const published = await explain("--online", "--token", token, "GET /published");
    expect(published.verdict, published.text).toMatchObject({ allowed: true });
    expect(provider.asked.slice(before)).toEqual(["/keys"]);
    const opaque = await explain("--online", "--token", await oidc.token("orders:read"), "GET /opaque");
    expect(told(opaque)).toEqual([null, 'opaque knows "orders-client", scopes orders:read', null]);
    const unknown = await explain("--online", "--token", "opaque-token", "GET /opaque");
    expect(told(unknown).slice(0, 2)).toEqual(["token_inactive", "active: false"]);
    expect(unknown.hint).toBeNull();
  });

  test("and whose provider is down is told with what went wrong", async () => {
    provider.goDown();
    const published = await explain("--online", "--token", token, "GET /published");
    provider.comeUp();
    expect(told(published)[0]).toBe("keys_unavailable");
    expect(told(published)[1]).toContain(`${provider.origin}/keys: `);
    expect(published.hint).toBeNull();
  });
});

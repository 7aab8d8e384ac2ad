// Goal: real services find under a rewritten target what the policy's author meant, and nothing that a client or a token hid in a parameter:
// no other path, no other host, no header line, no way round another route's rules.
// Method: real services with one application behind the real process; honest spellings and attacks of each kind.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PolicyPorts, type Postern, startPostern, theWorld } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { hasRealService, startRealService, type Understood } from "../fixtures/real-service.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: reports
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    tls: { certificate: server.pem, key: server.key }
    upstream: app
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
routes:
  - { path: /admin/panel, authenticate: [partners] }
  - path: /v1/**
    public: true
    rewrite: { prefix: { from: /v1, to: / }, host: "reports.internal:8080" }
    request: { setHeaders: { X-Tenant: '{jwt.tenant}', X-Asked: 'at {query.q}' } }
  - path: /files/{name}
    public: true
    rewrite: { path: '/public/{name}' }
  - path: /mine
    authenticate: [okta]
    rewrite: { path: '/public/{jwt.tenant}', query: { set: { tenant: '{jwt.tenant}' } } }
    request: { setHeaders: { X-Tenant: 't-{jwt.tenant}' } }
    response: { setHeaders: { X-Served-For: '{principal.id} of {jwt.tenant}' } }
`;

const KINDS = (["express", "gunicorn+flask", "php", "go"] as const).filter(hasRealService);

afterAll(closeAll);

describe.each(KINDS)("%s", (kind) => {
  let postern: Postern;
  beforeAll(async () => {
    const { port } = await startRealService(kind);
    postern = await startPostern(port, policy);
  });

  async function understood(path: string, headers: Record<string, string> = {}): Promise<Understood | string> {
    const { status, reason, body } = await postern.call({ path, headers });
    return reason === undefined && status < 500 ? JSON.parse(body || "{}") : `${status} ${reason}`;
  }

  async function bearer(tenant: unknown): Promise<Record<string, string>> {
    const { mint } = await theWorld();
    return { authorization: `Bearer ${await mint.token({ tenant, sub: "alice" })}` };
  }

  /** By each service's own name of it: `X-Tenant`, `x-tenant`, `HTTP_X_TENANT`. */
  const header = (found: Understood, name: string): string | undefined =>
    Object.entries(found.headers).find(
      ([own]) =>
        own
          .toLowerCase()
          .replaceAll("_", "-")
          .replace(/^http-/, "") === name,
    )?.[1];

  test("finds what was meant under honest spellings", async () => {
    // As each of them tells paths: decoded, or as they stand.
    for (const [asked, ...paths] of [
      ["/v1/public/page", "/public/page"],
      ["/v1/reports/a+b", "/reports/a+b"],
      ["/files/a%20b", "/public/a b", "/public/a%20b"],
      ["/files/%C3%A4%E2%82%AC", "/public/ä€", "/public/%C3%A4%E2%82%AC"],
      ["/files/a%2Bb+c", "/public/a+b+c", "/public/a%2Bb+c"],
    ] as const) {
      const found = await understood(asked);
      expect(paths, asked).toContain(typeof found === "string" ? found : found.path);
    }
  });

  test("is told the host that is fixed, whatever the client says", async () => {
    for (const headers of [{ Host: "evil.example" }, { Host: "localhost", "X-Forwarded-Host": "evil.example" }]) {
      const found = (await understood("/v1/public/page", headers)) as Understood;
      expect(found.host).toMatch(/^reports\.internal(?::8080)?$/);
      expect(header(found, "x-forwarded-prefix")).toBe("/v1");
    }
    const absolute = (await understood("/v1/public/page", { "X-Forwarded-Prefix": "/evil" })) as Understood;
    expect(header(absolute, "x-forwarded-prefix")).toBe("/v1");
  });

  test("is reached under no spelling where another route has rules", async () => {
    for (const path of [
      "/v1/admin/panel",
      "/v1/ADMIN/panel",
      "/v1/admin/panel/",
      "/v1/%61dmin/panel",
      "/v1/x/../admin/panel",
      "/v1//admin/panel",
      "/v1/admin%2Fpanel",
      "/v1/admin;x/panel",
      "/v1/index.php/admin/panel",
      "/files/..%2Fadmin%2Fpanel",
      "/files/%2e%2e/admin/panel",
      "/files/..%5Cadmin%5Cpanel",
    ]) {
      const found = await understood(path);
      expect(typeof found === "string" ? "refused" : found.handler, path).not.toBe("admin");
    }
    const { apiKey } = await theWorld();
    expect(await understood("/admin/panel", { "X-Api-Key": apiKey })).toMatchObject({ handler: "admin" });
  });

  test("gets of a claim one segment, one parameter and one header line", async () => {
    const found = (await understood("/mine?tenant=evil&Tenant=evil&x=1", await bearer("a b&c=d?ä"))) as Understood;
    expect(found.handler).toBe("public");
    expect(found.query).toBe("x=1&tenant=a%20b%26c%3Dd%3F%C3%A4");
    expect(header(found, "x-tenant")).toBe("t-a%20b&c=d?%C3%A4");
    for (const tenant of ["../admin/panel", "..", "x\r\nX-Admin: 1", "a/b", "a\\b"])
      expect(await understood("/mine", await bearer(tenant))).toBe("403 attribute_mismatch");
    expect(await understood("/mine", await bearer(undefined))).toBe("403 attribute_missing");
  });

  test("cannot be told a header that the policy fills in, and absence is said", async () => {
    const found = (await understood("/v1/public/page?q=x%0D%0AX-Evil:%201", { "X-Tenant": "evil" })) as Understood;
    expect(header(found, "x-tenant")).toBeUndefined();
    expect(header(found, "x-evil")).toBeUndefined();
    expect(header(found, "x-asked")).toBe("at x%0D%0AX-Evil:%201");
    const line = await postern.logged(
      ({ upstreamPath, withheld }) =>
        upstreamPath === "/public/page" && Array.isArray(withheld) && withheld.includes("x-tenant"),
    );
    expect(line).toMatchObject({ path: "/v1/public/page", route: "/v1/**" });
  });

  test("and its client gets a header that says for whom", async () => {
    const { headers } = await postern.call({ path: "/mine", headers: await bearer("acme") });
    expect(headers["x-served-for"]).toBe("alice of acme");
    const refused = await postern.call({ path: "/mine" });
    expect([refused.status, refused.headers["x-served-for"]]).toEqual([401, undefined]);
  });
});

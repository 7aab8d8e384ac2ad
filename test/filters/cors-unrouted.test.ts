// Goal: a refusal without a route is read by pages that some route lists, with credentials where one lists them so, and that a path is
// nobody's by those alone that are listed by name.
import { expect, test } from "vitest";
import { createExchange } from "../fixtures/route-context.ts";
import { policyWith, snapshotOf } from "../policy/policy-kit.ts";

const POLICY = `routes:
  - { path: /a, public: true, cors: { origins: ['https://app.example.org', 'https://*.shop.example.org'], credentials: true } }
  - { path: /b, public: true, cors: { origins: ['https://news.example.org:443'] } }
  - { path: /c, public: true }`;
const OPEN = `${POLICY}\n  - { path: /d, public: true, cors: { origins: ['*'] } }`;

async function told(policy: string, origins: readonly string[], by: "tell" | "tellNamed" = "tell"): Promise<string> {
  const { unroutedCors } = await snapshotOf(policyWith(policy));
  const exchange = createExchange({ headers: origins.map((origin) => ["origin", origin] as const) });
  unroutedCors?.[by](exchange);
  return exchange.answerLines
    .replace(/access-control-expose-headers: .*retry-after.*\r\n/, "")
    .replaceAll("access-control-allow-", "")
    .replaceAll("\r\n", ";");
}

test("pages that are listed by name", async () => {
  for (const policy of [POLICY, OPEN]) {
    for (const by of ["tell", "tellNamed"] as const) {
      for (const origin of ["https://app.example.org", "https://a.shop.example.org"]) {
        expect(await told(policy, [origin], by)).toBe(`origin: ${origin};credentials: true;vary: Origin;`);
      }
      const news = "https://news.example.org";
      expect(await told(policy, [news], by)).toBe(`origin: ${news};vary: Origin;`);
    }
  }
});

test("pages of others", async () => {
  for (const origin of ["https://evil.example", "null", "http://app.example.org", "https://shop.example.org", ""]) {
    expect(await told(POLICY, [origin])).toBe("");
    expect(await told(OPEN, [origin])).toBe("origin: *;vary: Origin;");
    expect(await told(OPEN, [origin], "tellNamed")).toBe("");
  }
  expect(await told(OPEN, ["https://app.example.org", "https://app.example.org"])).toBe("");
  expect(await told(OPEN, [])).toBe("");
});

test("without cors there is nothing to tell", async () => {
  expect((await snapshotOf(policyWith("routes: [{ path: /c, public: true }]"))).unroutedCors).toBeNull();
});

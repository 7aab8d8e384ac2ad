// Goal: what docs/tracing.md shows is what a collector gets, and its numbers are the product's.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { SPAN_OUTCOMES } from "../src/resources/resource.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { startCollector } from "./fixtures/collector.ts";
import { startPostern, startService } from "./fixtures/postern.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/tracing.md"), "utf8");
const section = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
const [spans, denied] = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map((match): unknown =>
  JSON.parse(match[1] ?? ""),
);

test("its policy sends the spans that it shows", async () => {
  const collector = await startCollector();
  const service = await startService();
  const postern = await startPostern(
    service.port,
    ({ port, app }) => `version: 1
service: orders
listeners: [{ name: inbound, address: "127.0.0.1:${port}", trustedProxies: [127.0.0.1] }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
limits: { steady: { rate: 1000/second, key: client.address } }
${section.replace("https://otel.example.org:4318", `http://127.0.0.1:${collector.port}`)}routes:
  - { path: "/v1/orders/{orderId}", methods: [GET], public: true, limit: [steady] }
`,
  );
  const ask = (path: string, flags: string) =>
    fetch(`http://127.0.0.1:${postern.port}${path}`, {
      headers: {
        "X-Forwarded-For": "192.0.2.7",
        traceparent: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`,
      },
    });
  expect((await ask("/v1/orders/7?token=secret", "01")).status).toBe(200);
  expect((await ask("/v1/nowhere", "00")).status).toBe(404);
  const refused = await collector.found(({ attributes }) => attributes["http.response.status_code"] === 404);
  await collector.found(({ kind }) => kind === 3);
  const shown = collector.spans
    .filter(({ attributes }) => attributes["http.response.status_code"] === 200)
    .map(({ name, kind, attributes, events }) => ({ name, kind, attributes, events: events.map((one) => one.name) }));
  expect(JSON.parse(settled(JSON.stringify(shown), postern.port, service.port))).toEqual(spans);
  const file = /^.*\//.exec(String(refused.attributes["postern.policy.place"]))?.[0] ?? "";
  expect(JSON.parse(JSON.stringify(refused.attributes).replace(file, ""))).toMatchObject(denied as object);
  expect(refused.resource["service.name"]).toBe("orders-postern");
  expect(collector.calls[0]?.url).toBe("/v1/traces");
});

/** What is another one each time, as the page has it. */
function settled(text: string, port: number, app: number): string {
  return text
    .replaceAll(String(port), "8080")
    .replaceAll(String(app), "3000")
    .replace(/"postern.decision.id":"[^"]*"/, '"postern.decision.id":"x81cPd_w-1"')
    .replace(/"postern.policy.hash":"[^"]*"/, '"postern.policy.hash":"0123456789abcdef"');
}

test("its names and numbers are the product's", () => {
  for (const outcome of SPAN_OUTCOMES) expect(page).toContain(`\`${outcome}\``);
  expect(page).toContain(`to ${DEFAULTS.tracingBatchSpansMax} and go out`);
  expect(page).toContain(
    `At most ${DEFAULTS.tracingWaitingSpansMax} spans and ${DEFAULTS.tracingWaitingBytesMax / 1024 ** 2} MiB`,
  );
  expect(page).toContain(`up to ${DEFAULTS.tracingTriesMax} times`);
  expect(page).toContain(`at most ${DEFAULTS.tracingDenialsPerSecondMax} a second`);
  expect([DEFAULTS.tracingExportMs, DEFAULTS.tracingBackoffMsMin, DEFAULTS.tracingSampleRatio]).toEqual([
    1000, 1000, 0.01,
  ]);
});

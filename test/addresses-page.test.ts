// Goal: what docs/addresses.md shows is a policy.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { BROWSER_ANOMALIES } from "../src/message/browser-anomalies.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { mmdb } from "./fixtures/mmdb.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/addresses.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const PARTNERS = { type: "api-key", header: "X-Key", keys: "keys.yaml" };
const LIST = "192.0.2.0/24\n";
const FILES = {
  "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`,
  "blocklists/drop.txt": LIST,
  "blocklists/firehol_level1.netset": LIST,
  "blocklists/c2.csv": "first_seen,dst_ip\n2026-11-01,192.0.2.1\n",
  "blocklists/drop_v6.json": '{"cidr":"2001:db8::/32"}\n',
  "partners.txt": LIST,
  "crawlers/googlebot.json": '{"prefixes":[{"ipv4Prefix":"192.0.2.0/24"}]}',
  "crawlers/bingbot.json": '{"prefixes":[{"ipv4Prefix":"192.0.2.0/24"}]}',
  "geo/GeoLite2-Country.mmdb": mmdb({ "192.0.2.0/24": { country: { iso_code: "DE" } } }),
  "geo/GeoLite2-ASN.mmdb": mmdb({ "192.0.2.0/24": { autonomous_system_number: 64496 } }),
  "ranges/aws.json": '{"prefixes":[{"ip_prefix":"192.0.2.0/24","service":"EC2","region":"eu-central-1"}]}',
};

test("the page has its blocks", () => {
  expect(blocks).toHaveLength(4);
});

test.each(blocks)("%s", async (text) => {
  // Listeners have files of their own, which test/e2e has.
  const { listeners: _, ...top }: Readonly<Record<string, unknown>> = parse(text);
  const policy = { authenticators: { partners: PARTNERS }, routes: [{ path: "/**", public: true }], ...top };
  expect(await problemsOf(policyWith(stringify(policy)), FILES)).toEqual([]);
});

test("the table of anomalies is the product's", () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` \| (\d) \|/gm)].map(([, name, score]) => [name, Number(score)]);
  expect(rows).toEqual(Object.entries(BROWSER_ANOMALIES));
});

test("bounds are the product's", () => {
  const { addressBytesMax, addressEntriesMax, addressFilesMax, addressFaultsMax, addressShareWarned } = DEFAULTS;
  expect(page).toContain(`${addressBytesMax / 1024 ** 2} MiB and ${addressEntriesMax.toLocaleString("en")} entries`);
  expect(page).toContain(`at most ${addressFilesMax} for one key`);
  expect(page).toContain(`the first ${addressFaultsMax} of a file`);
  expect([addressShareWarned, page.includes("a quarter of all addresses")]).toEqual([0.25, true]);
});

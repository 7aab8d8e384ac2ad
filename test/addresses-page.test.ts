// Goal: what docs/addresses.md shows is a policy.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { DEFAULTS } from "../src/support/defaults.ts";
import { policyWith, problemsOf } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/addresses.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
const LIST = "192.0.2.0/24\n";
const FILES = {
  "blocklists/drop.txt": LIST,
  "blocklists/firehol_level1.netset": LIST,
  "blocklists/c2.csv": "first_seen,dst_ip\n2026-11-01,192.0.2.1\n",
  "blocklists/drop_v6.json": '{"cidr":"2001:db8::/32"}\n',
  "partners.txt": LIST,
  "ranges/aws.json": '{"prefixes":[{"ip_prefix":"192.0.2.0/24","service":"EC2","region":"eu-central-1"}]}',
};

test("the page has its blocks", () => {
  expect(blocks).toHaveLength(1);
});

test.each(blocks)("%s", async (text) => {
  const top: Readonly<Record<string, unknown>> = parse(text);
  expect(await problemsOf(policyWith(stringify(top)), FILES)).toEqual([]);
});

test("bounds are the product's", () => {
  const { addressBytesMax, addressEntriesMax, addressFilesMax, addressFaultsMax, addressShareWarned } = DEFAULTS;
  expect(page).toContain(`${addressBytesMax / 1024 ** 2} MiB and ${addressEntriesMax.toLocaleString("en")} entries`);
  expect(page).toContain(`at most ${addressFilesMax} for one key`);
  expect(page).toContain(`the first ${addressFaultsMax} of a file`);
  expect([addressShareWarned, page.includes("a quarter of all addresses")]).toEqual([0.25, true]);
});

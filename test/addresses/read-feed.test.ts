import { expect, test } from "vitest";
import { EXPECTED, type Feed, type FeedFormat } from "../../src/addresses/feed.ts";
import { readFeed } from "../../src/addresses/read-feed.ts";
import { parseAddress } from "../../src/message/address.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { atOnce } from "../../src/support/turns.ts";

function read(text: string, format: Partial<FeedFormat> = {}): Feed {
  const feed = atOnce(readFeed(Buffer.from(text), { cutsHostBits: true, ...format }));
  if (!feed.ok) throw new Error(feed.error);
  return feed.value;
}

function fault(text: string, format: Partial<FeedFormat> = {}): string {
  const feed = atOnce(readFeed(Buffer.from(text), { cutsHostBits: true, ...format }));
  return feed.ok ? "" : feed.error;
}

function rangesOf(feed: Feed, ...addresses: readonly string[]): readonly (string | null)[] {
  return addresses.map((text) => {
    const address = parseAddress(text);
    if (address === null) throw new Error(text);
    return feed.table.rangeOf(address);
  });
}

test.each([
  ["Spamhaus DROP", "; Spamhaus DROP List\n; Expires: never\n192.0.2.0/24 ; SBL1\n"],
  [
    "Spamhaus DROP as JSON",
    '{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"ripencc"}\n{"type":"metadata","timestamp":1}\n',
  ],
  ["FireHOL", "#\n# firehol_level1\n#\n192.0.2.0/24\n"],
  ["blocklist.de and Emerging Threats, with line ends of Windows", "192.0.2.0/25\r\n192.0.2.128/25\r\n"],
  ["a range", "192.0.2.0-192.0.2.255"],
  ["a range with blanks, overlapping", "192.0.2.0 - 192.0.2.200\n192.0.2.100 - 192.0.2.255\n"],
  [
    "Google's and Bing's crawlers",
    '{"creationTime":"2026","prefixes":[{"ipv4Prefix":"192.0.2.0/24"},{"ipv6Prefix":"2001:db8::/32"}]}',
  ],
  [
    "Amazon",
    '{\n"syncToken":"1","prefixes":[{"ip_prefix":"192.0.2.0/24","region":"eu-central-1","service":"EC2"}],"ipv6_prefixes":[]}',
  ],
  ["Azure", '{"values":[{"name":"ActionGroup","properties":{"region":"","addressPrefixes":["192.0.2.0/24"]}}]}'],
  ["Cloudflare", '{"result":{"ipv4_cidrs":["192.0.2.0/24"],"ipv6_cidrs":["2001:db8::/32"],"etag":"x"},"success":true}'],
  ["Fastly", '{"addresses":["192.0.2.0/24"],"ipv6_addresses":["2001:db8::/32"]}'],
  ["a JSON list of texts", '["192.0.2.0/24"]'],
  ["IPv4 mapped into IPv6", "::ffff:192.0.2.0/120\n"],
])("%s", (_, text) => {
  const feed = read(text);
  expect(feed.faults).toEqual([]);
  expect(rangesOf(feed, "192.0.2.7", "192.0.3.0")).toEqual(["192.0.2.0 - 192.0.2.255", null]);
});

test("a column of CSV is known by its name, also in a comment, or by its number", () => {
  const rows = '"2026-01-01","192.0.2.1","443"\n"2026-01-02","198.51.100.7/32","8080"\n';
  for (const [text, column] of [
    [`# abuse list\n"first_seen","dst_ip","dst_port"\n${rows}`, "dst_ip"],
    [`# first_seen,dst_ip,dst_port\n${rows}`, "dst_ip"],
    [rows, 2],
    [`first_seen,dst_ip,dst_port\n${rows}`, 2],
  ] as const) {
    const feed = read(text, { format: "csv", column });
    expect(feed.faults, text).toEqual([]);
    expect(rangesOf(feed, "192.0.2.1", "198.51.100.7", "192.0.2.2")).toEqual(["192.0.2.1", "198.51.100.7", null]);
  }
  expect(fault(`first_seen,dst_ip\n${rows}`, { column: "source" })).toMatch(/^has no column 'source'; expected /);
  expect(rangesOf(read("192.0.2.1,x\n", { format: "csv" }), "192.0.2.1")).toEqual(["192.0.2.1"]);
});

test("of a publisher's document only what the policy asks for is taken", () => {
  const text = JSON.stringify({
    prefixes: [
      { ip_prefix: "192.0.2.0/25", region: "eu-central-1", service: "EC2" },
      { ip_prefix: "192.0.2.128/25", region: "us-east-1", service: "EC2" },
      { ip_prefix: "198.51.100.0/24", region: "eu-central-1", service: "S3" },
    ],
  });
  const feed = read(text, { where: { region: ["eu-central-1"], service: ["EC2", "S3"] } });
  expect(rangesOf(feed, "192.0.2.1", "192.0.2.129", "198.51.100.1")).toEqual([
    "192.0.2.0 - 192.0.2.127",
    null,
    "198.51.100.0 - 198.51.100.255",
  ]);
  expect(rangesOf(read('{"ip":"192.0.2.1"}\n{"ip":"192.0.2.2"}\n', { member: "ip" }), "192.0.2.2")).toEqual([
    "192.0.2.1 - 192.0.2.2",
  ]);
  expect(fault('{"ip":"192.0.2.1"}\n{"ip":"192.0.2.2"}\n')).toMatch(/^is no list of addresses/);
});

test("what is no address is told by its line, and is not repeated", () => {
  const text = "192.0.2.1\n192.0.2.9 - 192.0.2.1\n010.0.0.1\n192.0.2.2:443\nfe80::1%eth0\n";
  const good = "198.51.100.1\n".repeat(9);
  const { faults, faultCount } = read(text + good);
  expect(faultCount).toBe(4);
  expect(faults).toEqual([2, 3, 4, 5].map((line) => ({ line, text: EXPECTED })));
});

test("what could hide an address or hold the thread is no address", () => {
  const good = "198.51.100.1\n".repeat(9);
  for (const bad of [
    "0x7f.0.0.1",
    "127.1",
    "2130706433",
    "192.0.2.1/033",
    "192.0.2.1/-1",
    "192.0.2.1/24/8",
    "192.0.2.1 - 2001:db8::1",
    "::192.0.2.1",
    "９.９.９.９",
    "192.0.2.1".padEnd(100_000, "1"),
    "a".repeat(300_000),
  ]) {
    expect(read(`${bad}\n${good}`).faultCount, bad.slice(0, 40)).toBe(1);
  }
});

test("a document that is cut off is no list, and neither is one that says nothing of addresses", () => {
  expect(fault('{"prefixes":[{"ipv4Prefix":"192.0.2.0/24"},')).toBe("is no JSON: not JSON");
  expect(read('{"error":"rate limited"}').table.size).toBe(0);
  expect(fault("<!DOCTYPE html>\n<p>Not found</p>\n")).toMatch(/^is no list of addresses/);
});

test("entries are bounded in number", () => {
  const line = Buffer.from("1.1.1.1\n");
  const feed = atOnce(
    readFeed(Buffer.alloc(line.length * (DEFAULTS.addressEntriesMax + 2), line), { cutsHostBits: true }),
  );
  expect(feed).toEqual({ ok: false, error: `has more than ${DEFAULTS.addressEntriesMax} entries` });
});

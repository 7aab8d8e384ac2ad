import { describe, expect, test } from "vitest";
import { EXPECTED } from "../../src/addresses/feed.ts";
import { addressFilter } from "../../src/filters/address/compile.ts";
import { UNIX_PEER } from "../../src/message/address.ts";
import { compileFilter, createExchange, onlyCheck } from "../fixtures/route-context.ts";

function check(settings: unknown, files: Readonly<Record<string, string>> = {}) {
  return onlyCheck(compileFilter(addressFilter, settings, { files }));
}

function judge(settings: unknown, peer: string, files: Readonly<Record<string, string>> = {}) {
  return check(settings, files).evaluate(createExchange({ peer }));
}

describe("address", () => {
  test("runs before anything is spent on the request", () => {
    expect(check({ deny: ["192.0.2.1"] })).toMatchObject({ name: "address", phase: "admit", enforcePercent: 100 });
    expect(check({ deny: ["192.0.2.1"], mode: "audit" }).enforcePercent).toBe(0);
  });

  test("deny refuses its addresses and no others", () => {
    const settings = { deny: ["192.0.2.0/24", "2001:db8::/32"] };
    expect(judge(settings, "192.0.2.77")).toMatchObject({
      reason: "address_denied",
      seen: "192.0.2.77",
      wanted: "an address that is not in deny",
    });
    expect(judge(settings, "2001:db8::1")).toMatchObject({ reason: "address_denied" });
    expect(judge(settings, "192.0.3.1")).toBeNull();
    expect(judge(settings, "2001:db9::1")).toBeNull();
  });

  test("allow lets its addresses pass and no others", () => {
    const settings = { allow: ["198.51.100.7"] };
    expect(judge(settings, "198.51.100.7")).toBeNull();
    expect(judge(settings, "198.51.100.8")).toMatchObject({
      reason: "address_denied",
      seen: "198.51.100.8",
      wanted: "an address in allow",
    });
  });

  test("deny wins over allow", () => {
    const settings = { allow: ["10.0.0.0/8"], deny: ["10.1.0.0/16"] };
    expect(judge(settings, "10.2.0.1")).toBeNull();
    expect(judge(settings, "10.1.0.1")).toMatchObject({ wanted: "an address that is not in deny" });
  });

  test("an IPv4 address written as IPv6 gets round neither list", () => {
    expect(judge({ deny: ["192.0.2.1"] }, "::ffff:192.0.2.1")).toMatchObject({ reason: "address_denied" });
    expect(judge({ deny: ["::ffff:192.0.2.1"] }, "192.0.2.1")).toMatchObject({ reason: "address_denied" });
    expect(judge({ allow: ["0.0.0.0/0"] }, "2001:db8::1")).toMatchObject({ reason: "address_denied" });
  });

  test("judges the address behind trusted proxies, not the proxy's", () => {
    const exchange = createExchange({ peer: "10.0.0.1" });
    exchange.clientAddress = createExchange({ peer: "203.0.113.9" }).clientAddress;
    expect(check({ deny: ["10.0.0.0/8"] }).evaluate(exchange)).toBeNull();
    expect(check({ deny: ["203.0.113.0/24"] }).evaluate(exchange)).toMatchObject({ seen: "203.0.113.9" });
  });

  test("the peer of a Unix socket is in no list, also not in one of all addresses", () => {
    const exchange = createExchange();
    exchange.clientAddress = UNIX_PEER;
    expect(check({ deny: ["::/0", "0.0.0.0/0"] }).evaluate(exchange)).toBeNull();
    expect(check({ allow: ["::/0", "0.0.0.0/0"] }).evaluate(exchange)).toMatchObject({ reason: "address_denied" });
  });

  test("explains which lists it looked at", () => {
    const exchange = createExchange({ peer: "10.1.0.1" });
    expect(check({ allow: ["10.0.0.0/8", "192.0.2.1"], deny: ["10.2.0.0/16"] }).explain(exchange)).toMatch(
      /^10\.1\.0\.1: not in deny \(1\), in allow \(2\) by 10\.0\.0\.0 - 10\.255\.255\.255$/,
    );
  });
});

describe("address lists in files", () => {
  test("add to the list of the policy; comments, blank lines and Windows line ends do not count", () => {
    const files = { "bad.txt": "# known\r\n\r\n192.0.2.1 # since May\r\n  2001:db8::/32\r\n" };
    const settings = { deny: ["198.51.100.1"], denyFile: "bad.txt" };
    for (const peer of ["192.0.2.1", "2001:db8::5", "198.51.100.1"]) {
      expect(judge(settings, peer, files), peer).toMatchObject({ reason: "address_denied" });
    }
    expect(judge(settings, "192.0.2.2", files)).toBeNull();
  });

  test("a file without an address is a problem, for it may have been cut off, unless the policy says that it may be", () => {
    const files = { "list.txt": "# none\n" };
    for (const key of ["allowFile", "denyFile"]) {
      const { checks, problems } = compileFilter(addressFilter, { [key]: "list.txt" }, { files });
      expect(checks).toEqual([]);
      expect(problems).toEqual([
        {
          path: `address.${key}`,
          text: "'list.txt' has no address in it; expected some, or 'empty: allowed' beside its name",
        },
      ]);
    }
    const empty = { file: "list.txt", empty: "allowed" };
    expect(judge({ allowFile: empty }, "192.0.2.1", files)).toMatchObject({ reason: "address_denied" });
    expect(judge({ denyFile: empty }, "192.0.2.1", files)).toBeNull();
  });

  test("take lines as feeds have them: Spamhaus DROP, FireHOL, host bits in what is denied, with a warning", () => {
    const drop = "; Spamhaus DROP List 2026/11/29\n; Expires: tomorrow\n1.2.3.0/24 ; SBL123\n2001:db8:1::/48 ; SBL9\n";
    const files = { "bad.txt": `\ufeff${drop}# firehol_level1\n192.0.2.7/24\n2001:db8:2::1/48\n` };
    const compiled = compileFilter(addressFilter, { denyFile: "bad.txt" }, { files });
    expect(compiled.problems).toEqual([]);
    expect(compiled.warnings.map(({ text }) => text)).toEqual([
      "'bad.txt': bits behind the length of 2 prefixes are cut off, first at line 6",
    ]);
    for (const peer of ["1.2.3.4", "2001:db8:1::1", "192.0.2.200", "2001:db8:2::9"]) {
      expect(judge({ denyFile: "bad.txt" }, peer, files), peer).toMatchObject({ reason: "address_denied" });
    }
    expect(judge({ denyFile: "bad.txt" }, "192.0.3.1", files)).toBeNull();
  });

  test("host bits in the policy itself are a problem, in a list of whom to let in a line that is left out: one address may be meant", () => {
    const files = { "list.txt": "192.0.2.7/24\n198.51.100.0/24\n203.0.113.0/24\n" };
    for (const settings of [{ deny: ["10.0.0.1/8"], denyFile: "list.txt" }, { allow: ["10.0.0.1/8"] }]) {
      const { checks, problems } = compileFilter(addressFilter, settings, { files });
      expect([checks, problems.length]).toEqual([[], 1]);
    }
    const { warnings } = compileFilter(addressFilter, { allowFile: "list.txt" }, { files });
    expect(warnings).toEqual([{ path: "list.txt:1:1", text: `left out: ${EXPECTED}` }]);
    expect(judge({ allowFile: "list.txt" }, "192.0.2.7", files)).toMatchObject({ reason: "address_denied" });
    expect(judge({ allowFile: "list.txt" }, "198.51.100.7", files)).toBeNull();
  });

  test("UTF-16 is named", () => {
    const files = { "bad.txt": "1\u00002\u00007\u0000.\u0000" };
    expect(compileFilter(addressFilter, { denyFile: "bad.txt" }, { files }).problems).toEqual([
      { path: "address.denyFile", text: "'bad.txt' is UTF-16; expected ASCII or UTF-8" },
    ]);
  });

  test("a bad line is a warning with the file's name and line, and is not repeated", () => {
    const files = { "lists/bad.txt": "192.0.2.1\nroot:secret:0\n  010.0.0.1\n198.51.100.1\n203.0.113.1\n" };
    const { checks, problems, warnings } = compileFilter(addressFilter, { denyFile: "lists/bad.txt" }, { files });
    expect([checks.length, problems]).toEqual([1, []]);
    expect(warnings).toEqual([
      { path: "lists/bad.txt:2:1", text: `left out: ${EXPECTED}` },
      { path: "lists/bad.txt:3:1", text: `left out: ${EXPECTED}` },
    ]);
    expect(judge({ denyFile: "lists/bad.txt" }, "203.0.113.1", files)).toMatchObject({ reason: "address_denied" });
  });

  test("a file that has as much else as addresses is a problem, and no check is left that lets all pass", () => {
    for (const text of ["no prefix\n".repeat(10_000), "<html>\n192.0.2.1\n", "192.0.2.1\n\u0000\n"]) {
      const { checks, problems } = compileFilter(
        addressFilter,
        { denyFile: "bad.txt" },
        { files: { "bad.txt": text } },
      );
      expect(checks).toEqual([]);
      expect(problems).toEqual([
        {
          path: "address.denyFile",
          text: expect.stringMatching(
            /^'bad.txt' is no list of addresses: \d+ of its \d+ entries are none; first in line \d+: expected /,
          ),
        },
      ]);
    }
  });

  test("a file of many bad lines does not flood the report", () => {
    const files = { "bad.txt": `${"no prefix\n".repeat(900)}${"192.0.2.1\n".repeat(1_000)}` };
    const { warnings } = compileFilter(addressFilter, { denyFile: "bad.txt" }, { files });
    expect(warnings).toHaveLength(11);
    expect(warnings.at(-1)?.text).toBe("'bad.txt': 900 entries are left out; the first 10 are named");
  });

  test("a list of everybody is a warning, however it is written", () => {
    for (const text of ["0.0.0.0/0\n", "0.0.0.0/1\n128.0.0.0/1\n", "0.0.0.0 - 255.255.255.255\n"]) {
      const { checks, warnings } = compileFilter(
        addressFilter,
        { denyFile: "all.txt" },
        { files: { "all.txt": text } },
      );
      expect(checks).toHaveLength(1);
      expect(warnings.map((one) => one.text)).toEqual([
        "'all.txt' holds 100 % of all IPv4 addresses; expected a list of some",
      ]);
    }
    const { warnings } = compileFilter(addressFilter, { denyFile: "all.txt" }, { files: { "all.txt": "::/0\n" } });
    expect(warnings.map((one) => one.text)).toEqual([
      "'all.txt' holds 100 % of all IPv6 addresses; expected a list of some",
    ]);
  });

  test("of several files the denial names the one that met the client", () => {
    const files = { "drop.txt": "192.0.2.0/24\n", "own.csv": "address,since\n198.51.100.1,May\n" };
    const settings = { deny: ["203.0.113.1"], denyFile: ["drop.txt", { file: "own.csv", column: "address" }] };
    expect(judge(settings, "192.0.2.9", files)).toMatchObject({ list: "drop.txt", seen: "192.0.2.9" });
    expect(judge(settings, "198.51.100.1", files)).toMatchObject({ list: "own.csv" });
    expect(judge(settings, "203.0.113.1", files)).toMatchObject({
      list: "deny",
      wanted: "an address that is not in deny",
    });
    expect(check(settings, files).explain(createExchange({ peer: "192.0.2.9" }))).toBe(
      "192.0.2.9: not in deny (1), in drop.txt (1) by 192.0.2.0 - 192.0.2.255, not in own.csv (1)",
    );
  });

  test("whom 'except' names no list of 'deny' meets, but 'allow' holds", () => {
    const files = { "drop.txt": "192.0.2.0/24\n", "partners.txt": "192.0.2.7\n" };
    const settings = { denyFile: "drop.txt", exceptFile: "partners.txt", except: ["192.0.2.8"] };
    expect(judge(settings, "192.0.2.7", files)).toBeNull();
    expect(judge(settings, "192.0.2.8", files)).toBeNull();
    expect(judge(settings, "192.0.2.9", files)).toMatchObject({ list: "drop.txt" });
    expect(judge({ ...settings, allow: ["10.0.0.0/8"] }, "192.0.2.7", files)).toMatchObject({ list: "allow" });
  });

  test("a file that is missing leaves no check that lets all pass", () => {
    for (const settings of [{ denyFile: "no.txt" }, { allowFile: "no.txt", deny: ["192.0.2.1"] }]) {
      const { checks, problems } = compileFilter(addressFilter, settings);
      expect(checks).toEqual([]);
      expect(problems).toHaveLength(1);
    }
  });
});

describe("address settings that mean nothing", () => {
  test.each([
    ["10.0.0.0/33"],
    ["010.0.0.1"],
    ["0x7f.1"],
    ["127.1"],
    ["example.org"],
    ["10.0.0.0/-1"],
    ["fe80::1%eth0"],
    [""],
  ])("%j is a problem at its place in the list", (text) => {
    const { checks, problems } = compileFilter(addressFilter, { deny: ["192.0.2.1", text] });
    expect(checks).toEqual([]);
    expect(problems.map(({ path }) => path)).toEqual(["address.deny[1]"]);
  });

  test("no list at all, and empty lists", () => {
    expect(compileFilter(addressFilter, {}).problems).toEqual([
      {
        path: "address",
        text: "no list of addresses; expected 'allow', 'allowFile', 'deny', 'denyFile', 'countries' or 'networks'",
      },
    ]);
    expect(compileFilter(addressFilter, { allow: [] }).problems).toHaveLength(1);
    expect(compileFilter(addressFilter, { mode: "audit" }).problems).toHaveLength(1);
  });
});

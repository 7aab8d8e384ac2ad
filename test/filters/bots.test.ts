import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { botsFilter } from "../../src/filters/bots/compile.ts";
import { USER_AGENT_GROUPS } from "../../src/filters/bots/user-agents.ts";
import { compileFilter, createExchange, onlyCheck, type RequestOptions } from "../fixtures/route-context.ts";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const FILES = { "googlebot.json": '{"prefixes":[{"ipv4Prefix":"192.0.2.0/27"},{"ipv6Prefix":"2001:db8:1::/64"}]}' };
const CRAWLERS = { googlebot: { userAgents: ["Googlebot"], rangesFile: "googlebot.json" } };

function judge(settings: unknown, userAgent: string | null, more: RequestOptions = {}) {
  const check = onlyCheck(compileFilter(botsFilter, settings, { files: FILES }));
  const headers = userAgent === null ? [] : [["user-agent", userAgent] as const];
  return check.evaluate(createExchange({ headers, ...more }));
}

describe("user agents", () => {
  test("scanners are refused by their words, in any case, and the log has the word and not the user agent", () => {
    const denial = judge({ deny: ["scanners"] }, "Mozilla/5.0 SQLmap/1.8#stable (https://sqlmap.org)");
    expect(denial).toMatchObject({ reason: "user_agent_denied", list: "scanners", seen: "a user agent with 'sqlmap'" });
    for (const userAgent of [CHROME, "curl/8.5.0", "orders-app/7 (Android 16)", "okhttp/5.1.0", null]) {
      expect(judge({ deny: ["scanners"] }, userAgent), String(userAgent)).toBeNull();
    }
  });

  test("scripts, an own word, and none at all, each where the policy says so", () => {
    expect(judge({ deny: ["scripts"] }, "curl/8.5.0")).toMatchObject({ list: "scripts" });
    expect(judge({ deny: ["EvilBot"] }, "evilbot/1")).toMatchObject({ list: "EvilBot" });
    for (const nothing of [null, "", "  "])
      expect(judge({ deny: ["empty"] }, nothing)).toMatchObject({ list: "empty" });
    expect(judge({ deny: ["scripts"] }, null)).toBeNull();
    expect(judge({ deny: ["scripts"], except: ["curl/8 monitor"] }, "curl/8 Monitor")).toBeNull();
  });

  test("a word on a second line is no way round", () => {
    const headers = [
      ["user-agent", CHROME],
      ["user-agent", "sqlmap/1"],
    ] as const;
    expect(judge({ deny: ["scanners"] }, null, { headers })).toMatchObject({ list: "scanners" });
  });

  test("words of the groups are in lower case, each once, and none is within another of its group", () => {
    for (const [group, words] of Object.entries(USER_AGENT_GROUPS)) {
      expect(words, group).toEqual([...new Set(words)].map((word) => word.toLowerCase()).sort());
    }
  });
});

describe("crawlers", () => {
  test("one that comes from where its owner says passes, also where its words are denied", () => {
    const settings = { crawlers: CRAWLERS, deny: ["compatible;"] };
    for (const peer of ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1::9"]) {
      expect(judge(settings, GOOGLEBOT, { peer }), peer).toBeNull();
    }
  });

  test("who says to be one and comes from elsewhere is refused, in any case of letters", () => {
    for (const userAgent of [GOOGLEBOT, "googleBOT", `${CHROME} Googlebot/2.1`]) {
      expect(judge({ crawlers: CRAWLERS }, userAgent, { peer: "198.51.100.7" })).toMatchObject({
        reason: "crawler_unverified",
        list: "googlebot",
        seen: "198.51.100.7",
      });
    }
    expect(judge({ crawlers: CRAWLERS }, "Gооglebot with other letters", { peer: "198.51.100.7" })).toBeNull();
    expect(judge({ crawlers: CRAWLERS }, CHROME, { peer: "198.51.100.7" })).toBeNull();
  });

  test("without its ranges there is no check that lets every crawler pass or none", () => {
    const settings = { crawlers: { bing: { userAgents: ["bingbot"], rangesFile: "none.json" } } };
    const { checks, problems } = compileFilter(botsFilter, settings, { files: FILES });
    expect([checks.length, problems.length]).toEqual([0, 1]);
  });
});

describe("imitated browsers", () => {
  const browser = [
    ["host", "orders.example.org"],
    ["sec-ch-ua", '"Chromium";v="142"'],
    ["user-agent", CHROME],
    ["accept", "text/html,application/xhtml+xml"],
    ["sec-fetch-mode", "navigate"],
    ["accept-encoding", "gzip, br"],
    ["accept-language", "de"],
  ] as const;
  const without = (...names: readonly string[]) => browser.filter(([name]) => !names.includes(name));
  const anomalies = (headers: RequestOptions["headers"] = [], more: RequestOptions = {}): string => {
    const verdict = judge({ anomalies: { threshold: 1 } }, null, { headers, ...more });
    return verdict instanceof Denial ? verdict.seen : "";
  };

  test("only audits unless the policy says otherwise", () => {
    const percent = (settings: unknown) => onlyCheck(compileFilter(botsFilter, settings)).enforcePercent;
    expect(percent({ anomalies: { threshold: 3 } })).toBe(0);
    expect(percent({ anomalies: { threshold: 3, mode: "enforce" } })).toBe(100);
  });

  test("what browsers send has none, and whoever says to be none is let be", () => {
    expect(anomalies(browser)).toBe("");
    expect(anomalies(without("host"), { protocol: "h2" })).toBe("");
    expect(anomalies(without("sec-ch-ua", "sec-fetch-mode"), { secure: false })).toBe("");
    for (const userAgent of ["curl/8.5.0", GOOGLEBOT, "orders-app/7"])
      expect(anomalies([["user-agent", userAgent]])).toBe("");
    expect(anomalies([])).toBe("");
  });

  test("a script under a browser's name has many", () => {
    expect(
      anomalies([
        ["host", "x"],
        ["user-agent", CHROME],
        ["accept", "*/*"],
      ]),
    ).toBe("6: client_hints_missing, fetch_metadata_missing, language_missing, encoding_missing");
    const firefox = CHROME.replace(/AppleWebKit.*/, "Gecko/20100101 Firefox/140.0");
    expect(anomalies([...without("user-agent"), ["user-agent", firefox]])).toBe("3: client_hints_foreign");
    expect(anomalies([...without("accept"), ["accept", "*/*"]])).toBe("2: navigation_accepts_anything");
    expect(anomalies([...without("host"), ["host", "x"]])).toBe("1: host_not_first");
    expect(anomalies([...browser, ["user-agent", "x"]])).toBe("2: user_agent_twice");
    expect(anomalies([["user-agent", "Gооgle"]])).toBe("2: user_agent_not_ascii");
  });

  test("behind a proxy neither order nor TLS says anything", () => {
    const check = onlyCheck(compileFilter(botsFilter, { anomalies: { threshold: 1 } }));
    const exchange = createExchange({ headers: [...without("host", "sec-ch-ua", "sec-fetch-mode"), ["host", "x"]] });
    exchange.forwarding = { hops: 0, trustsHost: false };
    expect(check.evaluate(exchange)).toBeNull();
  });
});

test("a filter that refuses nothing is a problem", () => {
  expect(compileFilter(botsFilter, {}).problems).toEqual([
    { path: "bots", text: "nothing that could be refused; expected 'deny', 'crawlers' or 'anomalies'" },
  ]);
});

import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readSecLang } from "../../src/detection/seclang/read.ts";
import { atOnce } from "../../src/support/turns.ts";
import { named, run } from "./own-rules.ts";
import { compileRelease, RELEASE_RULES, releaseFiles } from "./release.ts";

describe.runIf(existsSync(RELEASE_RULES))("a release of the OWASP Core Rule Set", () => {
  test("is read whole", () => {
    let statements = 0;
    let found = 0;
    for (const { file, text } of releaseFiles()) {
      const { directives, problems } = atOnce(readSecLang(file, text));
      expect(problems).toEqual([]);
      statements += [...text.matchAll(/^\s*Sec[A-Z]/gm)].length;
      found += directives.length;
    }
    expect(found).toBe(statements);
    expect(found).toBeGreaterThan(700);
  });

  test.each([1, 2, 3, 4] as const)("runs at level %d; what does not is listed with the reason", (paranoia) => {
    const { problems, listing } = compileRelease(paranoia);
    expect(problems).toEqual([]);
    expect(listing.filter(({ status, reason }) => status !== "runs" && reason === "")).toEqual([]);
    expect(listing.filter((row) => row.paranoia > paranoia && row.status === "runs")).toEqual([]);
    expect(listing.filter(({ status }) => status === "runs").length).toBeGreaterThan(150);
  });

  test("scores attacks and lets what is usual pass", () => {
    const rules = compileRelease(1);
    const headers = [
      ["Host", "api.example.com"],
      ["User-Agent", "curl/8"],
      ["Accept", "application/json"],
    ] as const;
    const usual = run(rules, { path: "/orders", headers, args: [["page", "2"]] });
    expect([usual.hits, usual.score, usual.blockedBy]).toEqual([[], 0, null]);
    const attack = run(rules, { path: "/orders", headers, args: [["page", "../../../../etc/passwd"]] });
    expect(attack.hits.map(({ id }) => id)).toEqual(expect.arrayContaining([930100, 930120, 932160]));
    expect(attack.score).toBeGreaterThanOrEqual(15);
    expect(attack.blockedBy?.id).toBe(949110);
    const json = { processor: "JSON", args: named([["json.note", "<?php system($_GET[c]); ?>"]]) } as const;
    const body = run(rules, { method: "POST", path: "/orders", headers, processor: "JSON" }, { body: json });
    expect(body.hits.map(({ target }) => target)).toContain("ARGS:json.note");
  });

  test("scores answers that tell too much", () => {
    const body =
      "<b>Fatal error</b>: You have an error in your SQL syntax; check the manual for your MySQL server version";
    const answer = run(compileRelease(1), { path: "/" }, { answer: { status: 500, body } });
    expect(answer.answerScore).toBeGreaterThanOrEqual(4);
    expect(answer.hits.some(({ phase }) => phase === 4)).toBe(true);
  });
});

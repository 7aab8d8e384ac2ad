import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CompiledRules, compileRules, type ParanoiaLevel } from "../../src/detection/rules/compile-rules.ts";
import { orderedRuleFiles } from "../../src/detection/rules/file-order.ts";
import { readSecLang } from "../../src/detection/seclang/read.ts";
import { atOnce } from "../../src/support/turns.ts";
import { named, RECOGNISERS, run } from "./own-rules.ts";

/** The folder of a release of the OWASP Core Rule Set; as Debian installs it where none is named. */
const release = join(process.env["POSTERN_CRS"] ?? "/usr/share/modsecurity-crs", "rules");

const files = (): { file: string; text: string }[] =>
  orderedRuleFiles(readdirSync(release)).map((name) => ({
    file: join(release, name),
    text: readFileSync(join(release, name), "latin1"),
  }));

function compileRelease(paranoia: ParanoiaLevel): CompiledRules {
  const settings = { paranoia, threshold: 5, answerThreshold: 4, variables: new Map<string, string>() };
  const dataFile = (name: string, from: string): string | undefined => {
    const path = join(dirname(from), name);
    return existsSync(path) ? readFileSync(path, "latin1") : undefined;
  };
  return atOnce(compileRules(files(), settings, dataFile, RECOGNISERS));
}

describe.runIf(existsSync(release))("a release of the OWASP Core Rule Set", () => {
  test("is read whole", () => {
    let statements = 0;
    let found = 0;
    for (const { file, text } of files()) {
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

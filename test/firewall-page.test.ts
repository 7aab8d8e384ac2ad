import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { readNamed } from "../src/daemon/regular-file.ts";
import { detectorSchema } from "../src/filters/detect/schema.ts";
import { RateTables } from "../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../src/policy/compile.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { ok } from "../src/support/result.ts";
import { fixedClock } from "./policy/policy-kit.ts";

const page = readFileSync(resolve(import.meta.dirname, "../docs/firewall.md"), "utf8");
const [whole = "", use = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

/** What is wrong with a policy that names files of this machine. */
async function problemsOf(text: string): Promise<readonly string[]> {
  const { problems, warnings } = await examinePolicy("policy.yaml", {
    cwd: "/srv",
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: (absolute) =>
      absolute === "/srv/policy.yaml" ? ok(Buffer.from(text)) : readNamed(absolute, DEFAULTS.policyBytesMax),
  });
  return [...problems, ...warnings].map(({ text: problem }) => problem);
}

test("the policy that the page begins with is one, with the rules as Debian has them", async () => {
  expect(await problemsOf(whole)).toEqual([]);
});

test("what a route may say of a detector is understood", async () => {
  const policy = parse(whole) as { routes: Record<string, unknown>[] };
  const [route] = policy.routes;
  policy.routes = [{ ...route, ...(parse(use) as object) }];
  expect(await problemsOf(stringify(policy))).toEqual([]);
});

test("the table has each key of a detector", () => {
  const rows = page.split("| key of a detector | meaning |")[1]?.split("\n\n")[0] ?? "";
  const named = [...rows.matchAll(/^\| ([^|]*) \|/gm)].flatMap((match) =>
    [...(match[1] ?? "").matchAll(/`(\w+)`/g)].map(([, key]) => key),
  );
  expect(named.sort()).toEqual(Object.keys(Object(detectorSchema).shape).sort());
});

test("numbers are those of the code", () => {
  expect(page).toContain(`(${DEFAULTS.detectSearchBytesMax / 1024}KiB)`);
  expect(page).toContain(`up to ${DEFAULTS.detectAnswerBytesMax / 1024} KiB`);
  expect(page).toContain(`a request (${DEFAULTS.detectThreshold}) or an answer (${DEFAULTS.detectAnswerThreshold})`);
});

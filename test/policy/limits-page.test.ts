import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { REASONS } from "../../src/decision/reason.ts";
import { HTTP1_CLOSE_REASONS } from "../../src/http1/close-reason.ts";
import { listenerShape, upstreamShape } from "../../src/policy/schema.ts";
import { CONNECTION_REFUSALS, HANDSHAKE_FAILURES } from "../../src/telemetry/telemetry.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/limits.md"), "utf8");

const CONNECTIONS = [...CONNECTION_REFUSALS, ...HTTP1_CLOSE_REASONS];

/** Rows of the table under a heading: key, default, what, reasons, status. */
function rowsOf(heading: string): string[][] {
  const section = page.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const isLimit = (key: string): boolean => /Timeout$|^max|^body|Duration$/.test(key);

describe.each([
  ["Of the client", listenerShape],
  ["Of the service", upstreamShape],
] as const)("docs/limits.md, '%s'", (heading, shape) => {
  const rows = rowsOf(heading);

  test("has every limit of the language, and no other", () => {
    expect(rows.map(([key]) => key?.replaceAll("`", "")).sort()).toEqual(Object.keys(shape).filter(isLimit).sort());
  });

  test("gives the defaults that the language gives", () => {
    for (const [cell = "", value = ""] of rows) {
      const key = cell.replaceAll("`", "") as keyof typeof shape;
      const { description = "" } = shape[key] as { readonly description?: string };
      const said = value === "none" ? "Unlimited if absent" : value.replace(/^half/, "Half").replaceAll("`", "");
      expect(description, key).toContain(said);
    }
  });

  test("names reasons that exist, with their status", () => {
    for (const [key, , , reasons = "", statuses = ""] of rows) {
      for (const [at, [, reason = ""]] of [...reasons.matchAll(/`(\w+)`/g)].entries()) {
        const known: readonly string[] = [...Object.keys(REASONS), ...CONNECTIONS, ...HANDSHAKE_FAILURES];
        expect(known, key).toContain(reason);
        const status = statuses.split(/, | or /)[at] ?? statuses;
        if (/^\d+$/.test(status)) expect(REASONS[reason as keyof typeof REASONS].status, key).toBe(Number(status));
      }
    }
  });
});

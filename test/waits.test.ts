import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname);
const CALL = /\b(?:vi\.waitFor|vi\.waitUntil|expect\.poll)\(/g;

/** The call that begins at `start`, up to where its parenthesis is closed. */
function callAt(text: string, start: number): string {
  let open = 0;
  for (let at = text.indexOf("(", start); at < text.length; at++) {
    if (text[at] === "(") open++;
    else if (text[at] === ")" && --open === 0) return text.slice(start, at + 1);
  }
  return text.slice(start);
}

test("whoever waits says for how long: what vitest waits by itself, a second, is too short beside a load", () => {
  const hasty: string[] = [];
  for (const name of readdirSync(ROOT, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts") || name === "waits.test.ts") continue;
    const text = readFileSync(join(ROOT, name), "utf8");
    for (const { index } of text.matchAll(CALL)) {
      const call = callAt(text, index);
      const says = /timeout: (\d{2,3}_000|[A-Z_]+)\b/.test(call) || /,\s+(?:eventually|[A-Z_]+),?\s*\)$/.test(call);
      if (!says) hasty.push(`${name}: ${call.slice(0, 80)}`);
    }
  }
  expect(hasty).toEqual([]);
});

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { LeakStream } from "../../src/leaks/leak-stream.ts";
import { Scanner } from "../../src/leaks/scanner.ts";
import { documentedExamples, ordinaryAnswers } from "./corpus.ts";

const scanner = new Scanner(new Set(LEAK_KINDS));
const page = readFileSync(resolve(import.meta.dirname, "../../docs/leaks.md"), "utf8");

/** How often each kind is found. */
function countsIn(texts: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts) {
    new LeakStream(scanner, "json", ({ kind }) => {
      counts[kind.name] = (counts[kind.name] ?? 0) + 1;
      return "pass";
    }).takeAll(Buffer.from(text));
  }
  return counts;
}

const inWords = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([kind, count]) => `${kind} ${count}`)
    .sort()
    .join(", ");

test("in ordinary answers next to nothing is found", () => {
  const answers = ordinaryAnswers();
  const counts = countsIn(answers);
  expect(counts).toEqual({ "card-visa": 3, "card-unionpay": 1 });
  expect(page).toContain(`| ${answers.length} generated answers | ${inWords(counts)} |`);
});

test("in the examples of documents is found what is there", () => {
  const examples = documentedExamples();
  const counts = countsIn(examples.values());
  expect(counts).toEqual({ email: 37, "card-visa": 2 });
  expect(page).toContain(`| examples of ${examples.size} documents | ${inWords(counts)} |`);
});

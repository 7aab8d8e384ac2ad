// Goal: a document composed in pieces is the document that the library composes whole. Method: random documents in
// block style, flow style and both, sound and with edits, in small pieces; nodes, offsets and the first fault are compared.

import { describe, expect, test } from "vitest";
import { Composer, isAlias, isMap, isPair, isScalar, isSeq } from "yaml";
import { seededRandom } from "../../bench/matcher/random.ts";
import { atOnce } from "../../src/support/turns.ts";
import { breaksSyntax, composeDocument } from "../../src/yaml/compose.ts";
import { readTokens } from "../../src/yaml/tokens.ts";

type Random = () => number;

function randomFrom(seed: number): Random {
  const next = seededRandom(seed);
  return () => next(1_000_000) / 1_000_000;
}

const pick = <T>(random: Random, choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T;

const SCALARS = ["x", "'a: b'", '"q\\n"', "12", "true", "~", "plain text", "'it''s'", "*anchor", ""];

function flow(random: Random, depth: number): string {
  if (depth === 0 || random() < 0.3) return pick(random, SCALARS.slice(0, -1));
  const count = Math.floor(random() * 4);
  const gap = pick(random, ["", " ", "\n          "]);
  const inner = Array.from({ length: count }, (_, at) =>
    random() < 0.5 ? flow(random, depth - 1) : `k${at}: ${flow(random, depth - 1)}`,
  );
  const mapping = inner.map((text, at) => (/^k\d+: /.test(text) ? text : `m${at}: ${text}`));
  return random() < 0.5 ? `[${gap}${inner.join(`,${gap} `)}]` : `{${gap}${mapping.join(`, ${gap}`)}${gap}}`;
}

/** A list or mapping in block style, of about as many lines as are left. */
function block(random: Random, indent: number, depth: number, count: number, left: { lines: number }): string {
  const pad = " ".repeat(indent);
  const isList = random() < 0.5;
  const lines: string[] = [];
  for (let at = 0; at < count && (at === 0 || left.lines > 0); at++, left.lines--) {
    if (random() < 0.05) lines.push(`${pad}# remark`);
    const head = isList ? "-" : `key${at}:`;
    const roll = random();
    if (depth > 0 && roll < 0.25) {
      const long = random() < 0.3 ? 12 : 3;
      lines.push(`${pad}${head}${pick(random, ["", "", " # why", " &here", " !tag", " "])}`);
      lines.push(block(random, indent + 2, depth - 1, long, left));
    } else if (roll < 0.35) lines.push(`${pad}${head} ${flow(random, 2)}`);
    else if (roll < 0.4) lines.push(`${pad}${head} [${Array.from({ length: 9 }, () => flow(random, 1)).join(", ")}]`);
    else lines.push(`${pad}${head} ${pick(random, SCALARS)}`);
  }
  return lines.join("\n");
}

function documentOf(random: Random): string {
  const start = pick(random, ["", "", "---\n", "# first\n", "--- # first\n"]);
  if (random() < 0.25) {
    const items = Array.from({ length: 9 }, (_, at) => `"k${at}": ${flow(random, 2)}`);
    return `${start}{ "long": [${items.map((item) => `{ ${item} }`).join(",\n")}],\n ${items.join(",\n ")} }`;
  }
  return `${start}${block(random, 0, 3, 12, { lines: 25 })}\n`;
}

/** Everything of a node that a reader of policies looks at. */
function shown(node: unknown): unknown {
  if (isPair(node)) return [shown(node.key), shown(node.value)];
  if (isMap(node) || isSeq(node)) return { at: node.range?.[0], anchor: node.anchor, items: node.items.map(shown) };
  if (isScalar(node)) return { at: node.range?.slice(0, 2), anchor: node.anchor, value: node.value };
  return isAlias(node) ? { at: node.range?.[0], alias: node.source } : node;
}

function whole(text: string) {
  const tokens = atOnce(readTokens(text));
  if (typeof tokens === "number") throw new Error("too deep");
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
    resolveKnownTags: false,
    logLevel: "silent",
  });
  const [document] = [...composer.compose(tokens, true, text.length)];
  const faults = [...(document?.errors ?? []), ...(document?.warnings ?? [])].sort((a, b) => a.pos[0] - b.pos[0]);
  return { document, faults };
}

function inPieces(text: string) {
  const tokens = atOnce(readTokens(text));
  if (typeof tokens === "number") throw new Error("too deep");
  const steps = composeDocument(tokens, text.length, 32);
  let pieces = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return { composed: step.value, pieces };
    pieces++;
  }
}

const DOCUMENTS = 120;

describe("a document in pieces", () => {
  test("has the nodes, the offsets and the faults of the whole one", () => {
    const random = randomFrom(7);
    let pieces = 0;
    for (let at = 0; at < DOCUMENTS; at++) {
      const text = documentOf(random);
      const expected = whole(text);
      const got = inPieces(text);
      pieces += got.pieces;
      const faults = got.composed?.faults.map(({ code, pos }) => [code, pos[0]]);
      expect(faults).toEqual(expected.faults.map(({ code, pos }) => [code, pos[0]]));
      expect(JSON.stringify(shown(got.composed?.document.contents))).toBe(
        JSON.stringify(shown(expected.document?.contents)),
      );
    }
    expect(pieces).toBeGreaterThan(DOCUMENTS * 5);
  });

  test("is broken where the whole one is", () => {
    const random = randomFrom(11);
    const edits = [
      "",
      "]",
      "[",
      "}",
      "{",
      ":",
      ": ",
      ",",
      "- ",
      "\n",
      "\t",
      "'",
      '"',
      "&a ",
      "!b ",
      "*c",
      "?",
      "|",
      "#",
      "\n- ",
    ];
    let broken = 0;
    for (let at = 0; at < 2 * DOCUMENTS; at++) {
      const text = documentOf(random);
      const where = Math.floor(random() * text.length);
      const edited = text.slice(0, where) + pick(random, edits) + text.slice(where + Math.floor(random() * 3));
      const expected = whole(edited);
      const got = inPieces(edited).composed;
      const isBroken = expected.faults.some(breaksSyntax);
      if (isBroken) broken++;
      expect(got?.faults.some(breaksSyntax), edited.slice(where - 60, where + 60)).toBe(isBroken);
      const nodes = (document: unknown): string => JSON.stringify(shown(document));
      if (!isBroken) expect(nodes(got?.document.contents)).toBe(nodes(expected.document?.contents));
    }
    expect(broken).toBeGreaterThan(DOCUMENTS / 2);
  });
});

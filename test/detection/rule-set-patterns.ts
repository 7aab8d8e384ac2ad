import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { contains } from "../../src/schema/pattern/char-set.ts";
import type { Node } from "../../src/schema/pattern/tree.ts";

/** Where Debian's package modsecurity-crs puts its rules. */
export const DEBIAN_RULES = "/usr/share/modsecurity-crs/rules";
export const hasDebianRules = existsSync(DEBIAN_RULES);

/** All patterns of a rule set's folder, each once, as byte texts. Only for tests: the rules themselves are read elsewhere. */
export function patternsOf(folder: string): string[] {
  const found = new Set<string>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".conf"))) {
    const text = readFileSync(join(folder, file), "latin1")
      .replace(/^\s*#.*$/gm, "")
      .replaceAll("\\\n", "");
    for (const [, operator = ""] of text.matchAll(/SecRule\s+(?:"[^"]*"|\S+)\s+"((?:[^"\\]|\\.)*)"/g)) {
      const source = /^!?@rx ([\s\S]*)$/.exec(operator)?.[1] ?? (/^!?@/.test(operator) ? undefined : operator);
      if (source !== undefined && !source.includes("%{")) found.add(source.replaceAll('\\"', '"'));
    }
  }
  return [...found];
}

/** All word lists of a folder, each a file. */
export function wordListsOf(folder: string): string[][] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".data"));
  return files.map((file) =>
    readFileSync(join(folder, file), "latin1")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#")),
  );
}

/** The same numbers each time. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A text that the tree likely matches; what looks to the side is not looked at. */
export function textOf(node: Node, random: () => number): string {
  switch (node.kind) {
    case "set": {
      const usual = [..."a1 ;'\"(-/."].filter((char) => contains(node.set, char.charCodeAt(0)));
      if (usual.length > 0 && random() < 0.5) return usual[Math.floor(random() * usual.length)] ?? "";
      const range = 2 * Math.floor((random() * node.set.length) / 2);
      const [first = 0, last = 0] = node.set.slice(range, range + 2);
      return String.fromCharCode(first + Math.floor(random() * (last - first + 1)));
    }
    case "sequence":
      return node.parts.map((part) => textOf(part, random)).join("");
    case "choice": {
      const option = node.options[Math.floor(random() * node.options.length)];
      return option === undefined ? "" : textOf(option, random);
    }
    case "repeat": {
      const count = Math.min(node.max, node.min + Math.floor(random() * 3));
      return Array.from({ length: count }, () => textOf(node.body, random)).join("");
    }
    default:
      return "";
  }
}

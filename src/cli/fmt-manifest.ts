import { type Document, isMap, isScalar, parseAllDocuments, type Scalar } from "yaml";
import { err, ok, type Result } from "../support/result.ts";
import { type FormatFault, formatYaml } from "../yaml/format/format.ts";
import { lineFinder } from "../yaml/lines.ts";
import { isPolicyText } from "./manifest.ts";

/** A manifest with its policies laid out, and the files in it that could not be. */
export interface FormattedManifest {
  readonly text: string;
  readonly left: readonly FormatFault[];
}

/**
 * Lays out what a manifest's ConfigMaps hold of policies: the files that end with .yaml beside one. All else in the manifest is other
 * tools' to lay out, and stays as it is to the byte.
 */
export function formatManifest(text: string): Result<FormattedManifest, FormatFault> {
  const documents = parseAllDocuments(text, { logLevel: "silent", uniqueKeys: false });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0))
    return err({ text: "is a manifest that is not valid YAML", line: 1, column: 1 });
  const at = lineFinder(text);
  const left: FormatFault[] = [];
  let formatted = text;
  for (const { name, value } of documents.flatMap(filesOf).reverse()) {
    const block = blockOf(value, text);
    if (block === null) {
      left.push({ text: `'${name}' is no block text (|) and stays as it is`, ...at(value.range?.[0] ?? 0) });
      continue;
    }
    const { start, end, indent, lines } = block;
    const inner = formatYaml(`${lines.join("\n")}\n`);
    if (!inner.ok) {
      const { line, column } = inner.error;
      return err({ text: inner.error.text, line: at(start).line + line - 1, column: column + indent });
    }
    const placed = inner.value.replace(/^(?=.)/gm, " ".repeat(indent));
    const lineEnd = text.slice(start, end).includes("\r\n") ? "\r\n" : "\n";
    formatted = formatted.slice(0, start) + placed.replaceAll("\n", lineEnd) + formatted.slice(end);
  }
  return ok({ text: formatted, left });
}

function filesOf(document: Document.Parsed): readonly { readonly name: string; readonly value: Scalar<string> }[] {
  const data = document.get("data");
  if (document.get("kind") !== "ConfigMap" || !isMap(data)) return [];
  const files = data.items.flatMap(({ key, value }) =>
    isScalar(key) && isText(value) ? [{ name: String(key.value), value }] : [],
  );
  if (!files.some(({ name, value }) => isPolicyText(name, value.value))) return [];
  return files.filter(({ name }) => /\.ya?ml$/.test(name));
}

function isText(value: unknown): value is Scalar<string> {
  return isScalar(value) && typeof value.value === "string";
}

interface Block {
  /** Where its first line begins, and where the last that is not empty ends. */
  readonly start: number;
  readonly end: number;
  readonly indent: number;
  readonly lines: readonly string[];
}

function blockOf({ type, range }: Scalar<string>, text: string): Block | null {
  if (type !== "BLOCK_LITERAL" || range == null) return null;
  const start = text.indexOf("\n", range[0]) + 1;
  const header = text.slice(range[0], start);
  // Where a digit says how deep it is, the first line need not tell.
  if (start === 0 || /^\|[-+]?\d/.test(header)) return null;
  const body = text.slice(start, range[1]);
  const kept = body.replace(/\s+$/, "");
  const indent = /^(?: *\r?\n)*( +)/.exec(kept)?.[1]?.length;
  if (indent === undefined) return null;
  const lineEnd = /^[ \t]*\r?\n?/.exec(body.slice(kept.length))?.[0] ?? "";
  const lines = kept.split(/\r?\n/).map((line) => line.slice(indent));
  return { start, end: start + kept.length + lineEnd.length, indent, lines };
}

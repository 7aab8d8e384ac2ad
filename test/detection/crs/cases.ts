import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** One request of a case, and what rules should say of it. */
export interface Stage {
  /** The bytes that go to the port. */
  readonly request: Buffer;
  readonly expectIds: readonly number[];
  readonly noExpectIds: readonly number[];
  /** Statuses that are as good as the hits; empty for any. */
  readonly statuses: readonly number[];
  /** The server may close, or refuse it as no HTTP. */
  readonly expectsError: boolean;
}

export interface Case {
  /** Rule and number, as in `942100-3`. */
  readonly name: string;
  readonly rule: number;
  readonly stages: readonly Stage[];
}

interface Input {
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly uri?: string;
  readonly version?: string;
  readonly data?: string;
  readonly encoded_request?: string;
  readonly autocomplete_headers?: boolean;
}

interface Output {
  readonly status?: number | readonly number[];
  readonly expect_error?: boolean;
  readonly log?: {
    readonly expect_ids?: readonly number[];
    readonly no_expect_ids?: readonly number[];
    readonly match_regex?: string;
    readonly no_match_regex?: string;
  };
  readonly log_contains?: string;
  readonly no_log_contains?: string;
}

/** Cases of a folder of regression tests in go-ftw's YAML, by file name. */
export function readCases(folder: string): readonly Case[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
  return files.sort().flatMap((name) => {
    const document: unknown = parse(readFileSync(join(folder, name), "utf8"), { maxAliasCount: 1_000 });
    const { rule_id: rule = Number.parseInt(name.replace(/^.*\//, ""), 10), tests = [] } = Object(document);
    return (tests as readonly unknown[]).map((test, at) => {
      const { test_id: id = at + 1, test_title: title, stages = [] } = Object(test);
      return { name: title ?? `${rule}-${id}`, rule, stages: (stages as readonly unknown[]).map(stageOf) };
    });
  });
}

function stageOf(value: unknown): Stage {
  // Older ones have the stage in a key of its own.
  const { input, output } = Object(value).stage ?? Object(value);
  const expected: Output = output ?? {};
  const statuses = expected.status === undefined ? [] : [expected.status].flat();
  return {
    request: requestOf(input ?? {}),
    expectIds: [
      ...(expected.log?.expect_ids ?? []),
      ...idsIn(expected.log_contains),
      ...idsIn(expected.log?.match_regex),
    ],
    noExpectIds: [
      ...(expected.log?.no_expect_ids ?? []),
      ...idsIn(expected.no_log_contains),
      ...idsIn(expected.log?.no_match_regex),
    ],
    statuses,
    expectsError: expected.expect_error === true,
  };
}

/** Ids as a log of ModSecurity has them: `id "942100"`, or a pattern for it. */
function idsIn(text: string | undefined): number[] {
  return [...(text ?? "").matchAll(/id "(\d+)"/g)].map((match) => Number(match[1]));
}

const FORM = "application/x-www-form-urlencoded";

/** As the runner of these tests sends it: what a client would add is added unless the case says no. */
function requestOf(input: Input): Buffer {
  if (input.encoded_request !== undefined) return Buffer.from(input.encoded_request, "base64");
  const { method = "GET", uri = "/", version = "HTTP/1.1", autocomplete_headers: completes = true } = input;
  const headers = Object.entries(input.headers ?? {}).map(([name, value]) => [name, String(value)] as const);
  const lines = [...headers];
  const has = (name: string): boolean => lines.some(([other]) => other.toLowerCase() === name);
  const typeHas = (part: string): boolean =>
    lines.some(([name, value]) => name.toLowerCase() === "content-type" && value.toLowerCase().includes(part));
  let data: Buffer = Buffer.from(input.data ?? "", "utf8");
  if (completes && data.length > 0) {
    if (!has("content-type")) lines.push(["Content-Type", FORM]);
    if (lines.some(([name, value]) => name.toLowerCase() === "content-type" && value === FORM))
      data = escapedForm(data);
  }
  if (typeHas("multipart/form-data;")) data = Buffer.from(data.toString("latin1").replaceAll("\n", "\r\n"), "latin1");
  if (completes && !has("connection")) lines.push(["Connection", "close"]);
  const wantsLength = data.length > 0 || /^POST|PUT|PATCH|DELETE$/.test(method);
  if (completes && !has("content-length") && wantsLength) lines.push(["Content-Length", String(data.length)]);
  const head = [`${method} ${uri} ${version}`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join(
    "\r\n",
  );
  return Buffer.concat([Buffer.from(head, "utf8"), data]);
}

/** Pairs whose escapes say nothing are written with escapes; others stay as they are. */
function escapedForm(data: Buffer): Buffer {
  const text = data.toString("latin1");
  if (/%[\dA-Fa-f]{2}|\+/.test(text)) return data;
  const escaped = (part: string): string =>
    [...part].map((char) => (/[\w.~-]/.test(char) ? char : char === " " ? "+" : hex(char))).join("");
  const pairs = text.split("&").map((pair) => {
    const at = pair.indexOf("=");
    return at < 0 ? escaped(pair) : `${escaped(pair.slice(0, at))}=${escaped(pair.slice(at + 1))}`;
  });
  return Buffer.from(pairs.join("&"), "latin1");
}

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../src/bodies/json.ts";
import { compileSchema } from "../../src/schema/compile.ts";
import type { Dialect } from "../../src/schema/dialect.ts";
import { readDocument, type SchemaDocument } from "../../src/schema/document.ts";
import { ok } from "../../src/support/result.ts";
import { metaSchemas } from "./meta-schemas.ts";

/** Folders of the JSON Schema test suite (https://github.com/json-schema-org/JSON-Schema-Test-Suite) by dialect. */
export const FOLDERS: readonly (readonly [Dialect, string])[] = [
  ["2020-12", "draft2020-12"],
  ["2019-09", "draft2019-09"],
  ["draft-07", "draft7"],
  ["draft-06", "draft6"],
  ["draft-04", "draft4"],
];

/** Where Debian's package `json-schema-test-suite` puts it. */
export const DEBIAN_FOLDER = "/usr/share/json-schema-test-suite";

export interface Miss {
  readonly file: string;
  readonly group: string;
  readonly test: string;
  readonly why: string;
}

export interface Part {
  readonly dialect: Dialect;
  readonly part: "required" | "optional" | "format";
  passed: number;
  total: number;
  /** Refused on purpose; each with the reason. */
  readonly refused: Miss[];
  readonly misses: Miss[];
}

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

/** What the suite asks for and postern refuses, or decides otherwise, and why. By file and group. */
const ON_PURPOSE: readonly (readonly [file: RegExp, group: RegExp, why: string])[] = [
  [
    /^content\.json$/,
    /./,
    "contentEncoding and contentMediaType are annotations; base64 and JSON are judged, a warning lists the rest",
  ],
  [/^zeroTerminatedFloats\.json$/, /./, "1.0 is 1 in every dialect, as later ones have it"],
];

/** Runs the suite in `folder`: per dialect what is required, what is optional, and the formats. */
export function runSuite(folder: string): readonly Part[] {
  const remotes = readRemotes(join(folder, "remotes"));
  return FOLDERS.flatMap(([dialect, name]) => {
    const tests = join(folder, "tests", name);
    if (!existsSync(tests)) return [];
    const parts = [
      ["required", tests],
      ["optional", join(tests, "optional")],
      ["format", join(tests, "optional", "format")],
    ] as const;
    return parts.flatMap(([part, at]) => (existsSync(at) ? [runPart(dialect, part, at, remotes)] : []));
  });
}

function runPart(dialect: Dialect, part: Part["part"], folder: string, remotes: Remotes): Part {
  const result: Part = { dialect, part, passed: 0, total: 0, refused: [], misses: [] };
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".json")) continue;
    const groups = parseJson(readFileSync(join(folder, file)));
    if (!groups.ok) throw new Error(`${file}: ${groups.error}`);
    for (const group of groups.value as readonly Group[]) runGroup(result, file, group, remotes);
  }
  return result;
}

/**
 * The suite's required part takes formats as annotations, as the specifications do since 2019-09. Where its releases had
 * formats in one file, that file stands among the optional ones.
 */
function assertsFormat({ dialect, part }: Part, file: string): boolean {
  if (file === "format.json") return part === "optional";
  return part === "format" || !dialect.startsWith("20");
}

function runGroup(result: Part, file: string, group: Group, remotes: Remotes): void {
  const compiled = compileSchema(
    { uri: "urn:postern:case", value: group.schema, site: () => null },
    {
      dialect: result.dialect,
      assertsFormat: assertsFormat(result, file),
      takesUnknownKeywords: true,
      refusesOtherCase: false,
      retrieve: (uri) => {
        const document = remotes.get(uri);
        return document === undefined ? null : ok(document);
      },
    },
  );
  for (const test of group.tests) {
    result.total++;
    const miss = (why: string): Miss => ({ file, group: group.description, test: test.description, why });
    const purpose = ON_PURPOSE.find(([name, title]) => name.test(file) && title.test(group.description));
    if (!compiled.ok) {
      (purpose === undefined ? result.misses : result.refused).push(
        miss(purpose?.[2] ?? compiled.error.map(({ text }) => text).join("; ")),
      );
      continue;
    }
    const judgement = compiled.value.validator.judge(test.data);
    if ((judgement === null) === test.valid) result.passed++;
    else if (purpose !== undefined) result.refused.push(miss(purpose[2]));
    else result.misses.push(miss(judgement === null ? "passes" : `refused: ${JSON.stringify(judgement)}`));
  }
}

type Remotes = ReadonlyMap<string, SchemaDocument>;

function readRemotes(folder: string): Remotes {
  const remotes = new Map<string, SchemaDocument>();
  for (const [uri, text] of metaSchemas()) remotes.set(uri, documentOf(uri, text));
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".json")) continue;
    const uri = `http://localhost:1234/${name}`;
    remotes.set(uri, documentOf(uri, readFileSync(join(folder, name), "utf8")));
  }
  return remotes;
}

function documentOf(uri: string, text: string): SchemaDocument {
  const document = readDocument(uri, uri, Buffer.from(text));
  if (!document.ok) throw new Error(`${uri}: ${document.error.text}`);
  return document.value;
}

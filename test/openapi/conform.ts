import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { readDescription } from "../../src/openapi/description.ts";
import { type CompiledSchema, compileSchema } from "../../src/schema/compile.ts";
import { inlineDocument, type SchemaDocument } from "../../src/schema/document.ts";
import { ok } from "../../src/support/result.ts";
import { atOnce } from "../../src/support/turns.ts";
import { metaSchemas } from "../schema/meta-schemas.ts";

/**
 * `npm run conform:openapi -- FOLDER`: the specification's own documents that pass and that fail. FOLDER is a checkout of a branch
 * such as `v3.1-dev` or `v3.2-dev` of https://github.com/OAI/OpenAPI-Specification. Each document is held against the specification's
 * schema by the engine that judges bodies, and read as a description. Ends with 1 where one of `pass` is refused either way, or one of
 * `fail` is not told.
 */
const [folder = ""] = process.argv.slice(2);
const schemas = join(folder, "src/schemas/validation");
if (!existsSync(schemas)) {
  console.error(`there is no folder '${schemas}'; expected a checkout of a version of the OpenAPI specification`);
  process.exit(2);
}
let missed = 0;
const validator = schemaOf();
for (const kind of ["pass", "fail"] as const) run(kind);
process.exitCode = missed > 0 ? 1 : 0;

function schemaOf(): CompiledSchema {
  const documents = new Map<string, SchemaDocument>();
  for (const [uri, text] of metaSchemas()) documents.set(uri, inlineDocument(uri, JSON.parse(text)));
  for (const name of readdirSync(schemas).filter((name) => name.endsWith(".yaml"))) {
    const value: unknown = parse(readFileSync(join(schemas, name), "utf8"));
    const uri = Object(value).$id as string;
    documents.set(uri, inlineDocument(uri, value));
    documents.set(name, inlineDocument(uri, value));
  }
  const base = documents.get("schema-base.yaml");
  if (base === undefined) throw new Error(`no schema-base.yaml in '${schemas}'`);
  const compiled = compileSchema(base, {
    dialect: "2020-12",
    assertsFormat: false,
    takesUnknownKeywords: true,
    refusesOtherCase: false,
    retrieve: (uri) => {
      const found = documents.get(uri);
      return found === undefined ? null : ok(found);
    },
  });
  if (!compiled.ok) throw new Error(compiled.error.map(({ text }) => text).join("; "));
  return compiled.value;
}

function run(kind: "pass" | "fail"): void {
  const names = readdirSync(join(folder, "tests/schema", kind)).filter((name) => name.endsWith(".yaml"));
  const told: string[] = [];
  let bySchema = 0;
  let byReading = 0;
  for (const name of names) {
    const file = join(folder, "tests/schema", kind, name);
    const isValid = validator.validator.judge(parse(readFileSync(file, "utf8"))) === null;
    const { description, findings } = atOnce(
      readDescription({ file, root: null, overlays: [] }, (named) => (existsSync(named) ? readFileSync(named) : null)),
    );
    const isRead = description !== null && findings.warnings.length === 0;
    if (isValid === (kind === "pass")) bySchema++;
    else {
      missed++;
      told.push(`MISS ${name}: the schema ${isValid ? "takes" : "refuses"} it`);
    }
    if (isRead === (kind === "pass")) byReading++;
    else if (kind === "fail") {
      missed++;
      told.push(`MISS ${name}: nothing of it is told`);
    }
    for (const { text } of [...findings.problems, ...findings.warnings]) told.push(`${name}: ${text}`);
    if (kind === "pass" && description === null) missed++;
  }
  const share = `${bySchema} of ${names.length} by its schema, ${byReading} of ${names.length} by reading`;
  console.log(`${basename(folder)} ${kind}: ${share}`);
  for (const line of told) console.log(`    ${line}`);
}

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const REFS = resolve(import.meta.dirname, "../../node_modules/ajv/dist/refs");

/** The dialects' own schemas, which some schemas refer to, as the development package ajv brings them; by URI. */
export function metaSchemas(): ReadonlyMap<string, string> {
  const schemas = new Map<string, string>();
  for (const name of readdirSync(REFS, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".json")) continue;
    const text = readFileSync(join(REFS, name), "utf8");
    const uri = /"\$id": "([^"#]+)#?"/.exec(text)?.[1];
    if (uri !== undefined && existsSync(join(REFS, name))) schemas.set(uri, text);
  }
  schemas.set("http://json-schema.org/draft-04/schema", draft04Text());
  return schemas;
}

/** ajv has none for draft-04; @hyperjump/json-schema has it as a module with one object. */
function draft04Text(): string {
  const module = resolve(import.meta.dirname, "../../node_modules/@hyperjump/json-schema/draft-04/schema.js");
  return readFileSync(module, "utf8")
    .replace(/^export default /, "")
    .replace(/;\s*$/, "");
}

import type { Path } from "./path.ts";

/** `file#pointer` wherever `validate` takes one, and where that is. */
export function* schemaNames(validate: unknown): Generator<readonly [Path, string]> {
  if (!isMapping(validate)) return;
  const { body, queryString, path, query, headers, cookies } = validate;
  const owners: [Path, unknown][] = [
    [["body"], body],
    [["queryString"], queryString],
  ];
  const form = isMapping(validate["form"]) ? validate["form"]["fields"] : undefined;
  for (const [key, field] of isMapping(form) ? Object.entries(form) : []) owners.push([["form", "fields", key], field]);
  const many = { path, query, headers, cookies, body: isMapping(body) ? body["content"] : undefined };
  for (const [section, entries] of Object.entries(many)) {
    const steps: Path = section === "body" ? ["body", "content"] : [section];
    for (const [key, entry] of isMapping(entries) ? Object.entries(entries) : []) owners.push([[...steps, key], entry]);
  }
  for (const [at, owner] of owners) {
    for (const key of ["schema", "itemSchema"]) {
      const name = isMapping(owner) ? owner[key] : undefined;
      if (typeof name === "string" && name.includes("#")) yield [[...at, key], name];
    }
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

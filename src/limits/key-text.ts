/** Lists of strings, as the identities of keys have them (`KeyReader.identity`). */
const LISTS = /\["(?:[^"\\]|\\.)*"(?:,"(?:[^"\\]|\\.)*")*\]/g;

/** What a limit counts by, as people read it: `["jwt.tenant","route"]` → `jwt.tenant, route`. */
export function keyText(identity: string): string {
  return identity.replace(LISTS, (list) => (JSON.parse(list) as readonly string[]).join(", "));
}

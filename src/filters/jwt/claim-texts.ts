import { parseClaimPath } from "../../attributes/claim-path.ts";
import type { JsonObject } from "../../support/json.ts";

/** Reads all texts that some places of a token's claims hold. */
export type ReadTexts = (claims: JsonObject) => ReadonlySet<string>;

/** `realm_access.roles`, and with `*` for every member: `resource_access.*.roles`. `split`: one text is several, with blanks between. */
export function textsFrom(paths: readonly string[], split: boolean): ReadTexts {
  const parsed = paths.flatMap((path) => {
    const segments = parseClaimPath(path);
    return segments.ok ? [segments.value] : [];
  });
  return (claims) => {
    const texts = new Set<string>();
    for (const path of parsed) collect(claims, path, 0, split, texts);
    return texts;
  };
}

function collect(value: unknown, path: readonly string[], at: number, split: boolean, texts: Set<string>): void {
  const segment = path[at];
  if (segment === undefined) {
    const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
    for (const entry of entries) {
      if (typeof entry !== "string") continue;
      const parts = split && !Array.isArray(value) ? entry.split(" ") : [entry];
      for (const part of parts) if (part !== "") texts.add(part);
    }
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  const members = value as JsonObject;
  if (segment === "*") {
    for (const member of Object.values(members)) collect(member, path, at + 1, split, texts);
  } else if (Object.hasOwn(members, segment)) collect(members[segment], path, at + 1, split, texts);
}

import { HOP_BY_HOP, isPlainName, isReserved } from "../../message/reserved-names.ts";
import type { CompileContext } from "../compile-context.ts";
import type { VersionRules } from "./evaluate.ts";
import type { VersionsSettings } from "./schema.ts";

/** Headers that mean something else to whoever reads them. */
const TAKEN: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "accept",
  "authorization",
  "content-encoding",
  "content-type",
  "cookie",
  "origin",
]);

/** Section `versions`; null with a problem reported. `requestIdHeader`: one that is written already. */
export function compileVersions(
  settings: VersionsSettings,
  context: CompileContext,
  requestIdHeader: string | null,
): VersionRules | null {
  const { from } = settings;
  let isSound = true;
  for (const [at, { header }] of from.entries()) {
    if (header === undefined) continue;
    const isTaken = TAKEN.has(header) || isReserved(header) || header === requestIdHeader;
    if (!isTaken && isPlainName(header)) continue;
    const text = isTaken
      ? `'${header}' has a meaning of its own; expected a header like Api-Version`
      : `'${header}' arrives otherwise at some services; expected letters, digits and dashes`;
    context.problem(text, "from", at, "header");
    isSound = false;
  }
  if (!isSound) return null;
  const headers = from.flatMap(({ header }) => (header === undefined ? [] : [header]));
  const queries = from.flatMap(({ query }) => (query === undefined ? [] : [query]));
  if (settings.default !== undefined && headers.length + queries.length === 0) {
    const text =
      "the service cannot be told the default in a media type and may take another; expected a header or a query in 'from' besides, if the service reads one";
    context.warning("default_unseen", text, "default");
  }
  return {
    place: context.place(),
    headers: [...new Set(headers)],
    queries: [...new Set(queries)],
    mediaTypes: [...new Set(from.flatMap(({ mediaType }) => (mediaType === undefined ? [] : [mediaType])))],
    default: settings.default ?? null,
  };
}

import { dirname, isAbsolute, join } from "node:path";
import { decodeText } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import { callerPrincipal } from "../caller-principal.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { apiKeyAuthenticator } from "./evaluate.ts";
import { type KeyEntry, KeyTable } from "./key-table.ts";
import { KeyUses } from "./key-uses.ts";
import { readKeysFile } from "./keys-file.ts";
import type { Caller } from "./keys-schema.ts";
import { type ApiKeySettings, apiKeySchema } from "./schema.ts";
import { keySource } from "./sources.ts";

export const apiKeyKind = defineAuthenticator<ApiKeySettings>({
  type: "api-key",
  schema: apiKeySchema,
  *compile(name, settings, context) {
    const { header, scheme, cookie, query } = settings;
    const places = [header, scheme, cookie, query].filter((place) => place !== undefined);
    if (places.length !== 1) {
      context.problem("expected one of 'header', 'scheme', 'cookie' and 'query', to say where the key stands");
    }
    if (query !== undefined) {
      context.warning(
        "credential_in_query",
        "keys in the query stay in the logs of proxies and in the histories of browsers; expected 'header' where clients can set one",
        "query",
      );
    }
    const bytes = context.readFile(settings.keys, "keys");
    if (bytes === null) return null;
    const table = yield* context.keep("api-key", [name, bytes], () => readTable(name, settings, bytes, context));
    if (table === null || places.length !== 1) return null;
    const uses = (yield* context.keep("api-key uses", [name], newUses)) ?? new KeyUses();
    uses.retain((digest) => table.has(digest));
    return apiKeyAuthenticator({
      name,
      service: context.service,
      clock: context.clock,
      place: context.place(),
      source: keySource(settings),
      credentialHeaders: header !== undefined ? [header] : scheme !== undefined ? ["authorization"] : [],
      credentialCookies: cookie === undefined ? [] : [cookie],
      credentialParameters: query === undefined ? [] : [query],
      scheme: scheme ?? "ApiKey",
      table,
      uses,
    });
  },
});

/** Named by the authenticator alone, so that the next policy takes it over. */
function* newUses(): Steps<KeyUses> {
  yield;
  return new KeyUses();
}

/** The keys of the file; null with its problems reported. */
function* readTable(
  name: string,
  { keys }: ApiKeySettings,
  bytes: Buffer,
  context: CompileContext,
): Steps<KeyTable | null> {
  const text = decodeText(bytes);
  if (!text.ok) {
    context.problem(`'${keys}': ${text.error}`, "keys");
    return null;
  }
  const { callers, problems, limits } = yield* readKeysFile(text.value);
  const file = isAbsolute(keys) ? keys : join(dirname(context.place().file), keys);
  if (problems.length > 0) {
    for (const { text: fault, ...where } of problems) context.problemAt({ file, ...where }, fault);
    return null;
  }
  return yield* KeyTable.build(
    callers.length,
    entriesOf(name, callers),
    limits.map(({ text: named, ...where }) => ({ file, ...where, name: named })),
  );
}

function* entriesOf(name: string, callers: readonly Caller[]): Generator<KeyEntry> {
  for (const caller of callers) yield* toEntries(name, caller);
}

/** So many digits tell keys apart for people, and lead nobody to a key. */
const SHOWN_DIGITS = 8;

function* toEntries(authenticator: string, caller: Caller): Generator<KeyEntry> {
  for (const { sha256, name, notBefore, notAfter, limit, plan } of caller.keys) {
    const notAfterMs = notAfter ?? Number.POSITIVE_INFINITY;
    yield {
      digest: Buffer.from(sha256, "hex"),
      name: name ?? sha256.slice(0, SHOWN_DIGITS),
      notBeforeMs: notBefore ?? Number.NEGATIVE_INFINITY,
      notAfterMs,
      principal: callerPrincipal(authenticator, "api-key", caller, notAfterMs, { limit, plan }),
      use: null,
    };
  }
}

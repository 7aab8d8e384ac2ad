import { dirname, isAbsolute, join } from "node:path";
import type { Principal } from "../../message/principal.ts";
import { decodeText } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { apiKeyAuthenticator } from "./evaluate.ts";
import { type KeyEntry, KeyTable } from "./key-table.ts";
import { readKeysFile } from "./keys-file.ts";
import type { Caller } from "./keys-schema.ts";
import { type ApiKeySettings, apiKeySchema } from "./schema.ts";

export const apiKeyKind = defineAuthenticator<ApiKeySettings>({
  type: "api-key",
  schema: apiKeySchema,
  *compile(name, settings, context) {
    const bytes = context.readFile(settings.keys, "keys");
    if (bytes === null) return null;
    const table = yield* context.keep("api-key", [name, bytes], () => readTable(name, settings, bytes, context));
    if (table === null) return null;
    return apiKeyAuthenticator({
      name,
      service: context.service,
      clock: context.clock,
      place: context.place(),
      header: settings.header,
      table,
    });
  },
});

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
  const { callers, problems } = yield* readKeysFile(text.value);
  if (problems.length > 0) {
    const file = isAbsolute(keys) ? keys : join(dirname(context.place().file), keys);
    for (const { text: fault, ...where } of problems) context.problemAt({ file, ...where }, fault);
    return null;
  }
  return yield* KeyTable.build(callers.length, entriesOf(name, callers));
}

function* entriesOf(name: string, callers: readonly Caller[]): Generator<KeyEntry> {
  for (const caller of callers) yield* toEntries(name, caller);
}

function toEntries(authenticator: string, caller: Caller): KeyEntry[] {
  const claims: Principal["claims"] = Object.freeze(Object.assign(Object.create(null), caller.attributes));
  const scopes = new Set(caller.scopes);
  return caller.keys.map(({ sha256, notAfter }) => {
    const expiresAtMs = notAfter ?? Number.POSITIVE_INFINITY;
    return {
      digest: Buffer.from(sha256, "hex"),
      notAfterMs: expiresAtMs,
      principal: Object.freeze({
        authenticator,
        type: "api-key",
        id: caller.name,
        key: `${authenticator}/${caller.name}`,
        scopes,
        claims,
        expiresAtMs,
      } as const),
    };
  });
}

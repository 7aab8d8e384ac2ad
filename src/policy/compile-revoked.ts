import { isToken } from "../attributes/principal-facts.ts";
import { compileRevokedFile } from "../filters/revoked/compile.ts";
import { Revocations } from "../filters/revoked/evaluate.ts";
import type { RevokedTable, RevokedUse } from "../filters/revoked/revoked-table.ts";
import type { Steps } from "../support/turns.ts";
import type { Path } from "./path.ts";
import { revokedSchema } from "./section-schema.ts";
import type { Work } from "./work.ts";

const PATH: Path = ["revoked"];

/** Key `revoked`: the file of what is refused from now on. */
export function* compileRevoked(work: Work): Steps<void> {
  const value = work.reader.raw(PATH);
  const name = value === undefined ? undefined : work.reader.read(revokedSchema, value, PATH);
  if (name === undefined) return;
  const context = work.context((inner) => [...PATH, ...inner]);
  const compiled = yield* compileRevokedFile(name, context);
  if (compiled === null) return;
  const { table, file } = compiled;
  warnNeverMet(work, table, file);
  work.revocations = new Revocations(table, file, context.clock);
}

/** Entries that nobody can meet look like a revocation that somebody believes to be in force. */
function warnNeverMet(work: Work, { uses }: RevokedTable, file: string): void {
  for (const use of uses) {
    const text = neverMet(work, use);
    const { line, column, path } = use;
    if (text !== null) work.warnings.add("revocation_unmet", { file, line, column, path }, text);
  }
}

function neverMet(work: Work, { kind, authenticator }: RevokedUse): string | null {
  const { authenticators, listeners } = work;
  if (kind === "serials") {
    const asks = listeners.some(
      ({ tls, forwardedCertificates }) =>
        forwardedCertificates !== null || (tls !== null && tls.clientCertificate !== "off"),
    );
    return asks ? null : "no listener asks for client certificates, so this can never be met";
  }
  if (authenticator !== null && !authenticators.defined.has(authenticator)) {
    return "the policy has no authenticator of this entry's name, so this can never be met";
  }
  // Of those with problems it is not known what they are.
  if (authenticators.size < authenticators.defined.size || kind === "callers") return null;
  for (const [name, one] of authenticators) if (isToken(one) && name === (authenticator ?? name)) return null;
  return authenticator === null
    ? "the policy has no authenticator of tokens, so this can never be met"
    : "this entry's authenticator takes no tokens, so this can never be met";
}

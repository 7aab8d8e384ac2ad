import { dirname, isAbsolute, join } from "node:path";
import { decodeText } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import type { CompileContext } from "../filter.ts";
import { readRevokedFile } from "./revoked-file.ts";
import type { RevokedTable } from "./revoked-table.ts";

export interface CompiledRevoked {
  readonly table: RevokedTable;
  /** As places in it name it. */
  readonly file: string;
}

/** Key `revoked`: what the file of this name says; null with problems reported. */
export function* compileRevokedFile(name: string, context: CompileContext): Steps<CompiledRevoked | null> {
  const bytes = context.readFile(name);
  if (bytes === null) return null;
  const file = isAbsolute(name) ? name : join(dirname(context.place().file), name);
  const table = yield* context.keep("revoked", [bytes], () => readTable(name, file, bytes, context));
  return table === null ? null : { table, file };
}

function* readTable(name: string, file: string, bytes: Buffer, context: CompileContext): Steps<RevokedTable | null> {
  const text = decodeText(bytes);
  if (!text.ok) {
    context.problem(`'${name}': ${text.error}`);
    return null;
  }
  const { table, problems } = yield* readRevokedFile(text.value, context.clock.wallMs());
  for (const { text: fault, ...where } of problems) context.problemAt({ file, ...where }, fault);
  return problems.length === 0 ? table : null;
}

import {
  type Description,
  type DescriptionPlace,
  type ReadDescription,
  readDescription,
} from "../../src/openapi/description.ts";
import type { Finding } from "../../src/openapi/findings.ts";
import { atOnce } from "../../src/support/turns.ts";

export type Files = Readonly<Record<string, string>>;

/** Reads `api/orders.yaml` out of memory, or the file that `place` says. */
export function read(
  files: Files,
  place: Partial<DescriptionPlace> = {},
): ReadDescription & { readonly asked: string[] } {
  const asked: string[] = [];
  const full = { file: "api/orders.yaml", root: null, overlays: [], ...place };
  const result = atOnce(
    readDescription(full, (name) => {
      asked.push(name);
      const content = files[name];
      return content === undefined ? null : Buffer.from(content);
    }),
  );
  return { ...result, asked };
}

/** The description of one file. */
export function described(text: string): Description {
  const { description, findings } = read({ "api/orders.yaml": text });
  if (description === null) throw new Error(findings.problems.map(shown).join("\n"));
  return description;
}

export function shown({ place: { file, line, column }, text }: Finding): string {
  return `${file}:${line}:${column} ${text}`;
}

/** A document whose first line is there; what a test is about begins at line 2. */
export function document(rest: string, version = "3.1.0"): string {
  return `openapi: ${version}\n${rest.replace(/^\n/, "")}`;
}

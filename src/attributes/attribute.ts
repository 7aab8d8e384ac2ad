import { PHASES } from "../decision/phases.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { nearestHint } from "../support/schema.ts";
import { attributeText, parseAttributePath } from "./attribute-path.ts";
import { ROWS, type Row } from "./table.ts";
import type { AttributeScope, AttributeType, Read, Shown } from "./types.ts";

/** An attribute as somebody wrote it: which row of the table, and what follows its name. */
export interface AttributeName {
  /** In the one spelling that logs and problems use. */
  readonly text: string;
  readonly row: Row;
  /** Behind a family's name: the parameter, the header in lower case, the path of a claim or a member. */
  readonly rest: readonly string[];
  readonly shown: Shown;
}

/** An attribute, ready to be read. */
export interface Attribute extends AttributeName {
  readonly type: AttributeType;
  readonly read: Read;
}

/** Text → attribute that is read in this scope, or what is wrong with it and what to write. */
export function attribute(text: string, scope: AttributeScope): Result<Attribute, string> {
  const name = attributeName(text);
  return name.ok ? bindAttribute(name.value, scope) : name;
}

/** Text → row and rest, wherever it stands. */
export function attributeName(text: string): Result<AttributeName, string> {
  const path = parseAttributePath(text);
  if (path === null) {
    return err(
      `'${text.slice(0, DEFAULTS.attributeCharsMax)}' is no attribute; expected names with dots between them, quoted where a name has a dot, as in path.id, jwt.tenant or request.headers["x-name"]`,
    );
  }
  return attributeOf(path);
}

/** The same for a path that somebody else has read, an expression for one. */
export function attributeOf(path: readonly string[]): Result<AttributeName, string> {
  const two = path.slice(0, 2).join(".");
  const row = ROWS.get(two) ?? ROWS.get(path[0] ?? "");
  if (row === undefined) return err(`there is no attribute '${attributeText(path)}'; ${hintFor(two, path[0] ?? "")}`);
  const rest = path.slice(row.name.split(".").length);
  if (row.rest === "none" && rest.length > 0) return err(`'${row.name}' has no members; expected '${row.name}' alone`);
  if (row.rest !== "none" && rest.length === 0)
    return err(`'${row.name}' needs a name; expected it as in ${row.example}`);
  if (row.rest === "name" && rest.length > 1)
    return err(`'${row.name}' has one name behind it; expected it as in ${row.example}`);
  if (rest.length > DEFAULTS.attributePathMax)
    return err(`more than ${DEFAULTS.attributePathMax} names behind '${row.name}'`);
  const known = row.isFolded === true ? rest.map((name) => name.toLowerCase()) : rest;
  const shown = known.some(namesSecret) ? "nowhere" : row.shown;
  return ok({ text: attributeText([...row.name.split("."), ...known], row.isFolded), row, rest: known, shown });
}

/** The same attribute, its value never shown where it is a header in which the policy expects credentials. */
export function withoutCredential(name: AttributeName, isCredentialHeader: (header: string) => boolean): AttributeName {
  const [header = ""] = name.rest;
  return name.row.name === "request.headers" && isCredentialHeader(header) ? { ...name, shown: "nowhere" } : name;
}

/** Names under which credentials stand. Their values show nowhere, whatever the row says. */
export function namesSecret(name: string): boolean {
  return SECRET.test(name);
}

const SECRET = /authorization|cookie|password|passwd|secret|token|api[-_]?key|signature|assertion/i;

/** Name → attribute, or why it cannot be read there. */
export function bindAttribute(name: AttributeName, scope: AttributeScope): Result<Attribute, string> {
  const { row, rest, text } = name;
  const at = PHASES.indexOf(scope.phase);
  if (at < PHASES.indexOf(row.from)) {
    return err(`'${text}' is known from phase '${row.from}' on, and this is asked in phase '${scope.phase}'`);
  }
  if (row.until !== undefined && at > PHASES.indexOf(row.until)) {
    return err(`'${text}' is forgotten after phase '${row.until}', and this is asked in phase '${scope.phase}'`);
  }
  const read = row.bind(rest, scope);
  return read.ok ? ok({ ...name, type: row.type, read: read.value }) : read;
}

/** The nearest name there is, of the same family if the family exists. */
function hintFor(two: string, first: string): string {
  const names = [...ROWS.keys()];
  const family = names.filter((name) => name.startsWith(`${first}.`));
  return family.length > 0 ? nearestHint(two, family) : nearestHint(two.includes(".") ? first : two, FIRST_NAMES);
}

const FIRST_NAMES: readonly string[] = [...new Set([...ROWS.keys()].map((name) => name.split(".")[0] ?? ""))];

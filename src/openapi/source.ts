import { jsonNumber } from "../bodies/json-number.ts";
import { JsonParser } from "../bodies/json-parser.ts";
import type { Dialect } from "../schema/dialect.ts";
import { type SchemaDocument, type SchemaPlace, Site, Source } from "../schema/document.ts";
import { MemberOffsets } from "../schema/member-offsets.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { decodeText } from "../support/text.ts";
import type { Steps } from "../support/turns.ts";
import { composeDocument } from "../yaml/compose.ts";
import type { AliasTargets } from "../yaml/merge-keys.ts";
import { plainValue } from "../yaml/plain-value.ts";
import { readTokens } from "../yaml/tokens.ts";
import { readUsual } from "../yaml/usual/read.ts";
import type { Findings } from "./findings.ts";

/** One file of a description, read: YAML or JSON, with the way back from each value to its line. */
export interface SourceDocument extends SchemaDocument {
  /** As its user calls it: relative to the policy. */
  readonly file: string;
  readonly holds: Dialect;
  /** Of a member or item; of its container's file where that knows no more. */
  place(container: object, key: string | number): SchemaPlace;
}

/** Characters of JSON that are read in one go. */
const STEP_CHARS = 4 * 1024;

/** Bytes of a file → document; null with its problems in `findings`. Never throws. */
export function* readSource(
  uri: string,
  file: string,
  bytes: Buffer,
  findings: Findings,
): Steps<SourceDocument | null> {
  if (bytes.length > DEFAULTS.openapiFileBytesMax) {
    findings.problem({ file, line: 1, column: 1 }, `has more than ${DEFAULTS.openapiFileBytesMax} bytes`);
    return null;
  }
  const decoded = decodeText(bytes);
  if (!decoded.ok) {
    findings.problem({ file, line: 1, column: 1 }, `cannot be read: ${decoded.error}`);
    return null;
  }
  const text = decoded.value;
  const source = yield* Source.of(file, text);
  const offsets = new MemberOffsets();
  const member: Member = (container, key, offset) => offsets.add(container, key, offset);
  const isJson = /^\s*\{/.test(text) && !/\.ya?ml$/i.test(file);
  const value = isJson
    ? yield* readJson(text, source, member, findings)
    : yield* readYaml(text, source, member, findings);
  if (value === undefined) return null;
  return documentOf(uri, source, value, offsets);
}

function documentOf(uri: string, source: Source, value: unknown, offsets: MemberOffsets): SourceDocument {
  const site = (container: object, key: string | number): Site | null => {
    const offset = offsets.get(container, key);
    return offset === undefined ? null : new Site(source, offset);
  };
  const { file } = source;
  return {
    uri,
    file,
    value,
    holds: "2020-12",
    site,
    place: (container, key) => site(container, key)?.place ?? { file, line: 1, column: 1 },
  };
}

type Member = (container: object, key: string | number, offset: number) => void;

function* readJson(text: string, source: Source, member: Member, findings: Findings): Steps<unknown> {
  const parser = new JsonParser(text, DEFAULTS.openapiDepthMax, { member });
  while (!parser.run(STEP_CHARS)) yield;
  const { fault } = parser;
  if (fault === null) return parser.value;
  findings.problem(source.place(fault.at), `cannot be read as JSON: ${fault.text}`);
  return undefined;
}

function* readYaml(text: string, source: Source, member: Member, findings: Findings): Steps<unknown> {
  const reading = {
    depthMax: DEFAULTS.openapiDepthMax,
    nodesMax: DEFAULTS.openapiNodesMax,
    merges: true,
    member,
    longNumber: jsonNumber,
  };
  const usual = yield* readUsual(text, reading);
  if (usual !== null) return usual;
  const problem = (offset: number, fault: string): undefined => {
    findings.problem(source.place(offset), fault);
    return undefined;
  };
  const tokens = yield* readTokens(text, DEFAULTS.openapiDepthMax);
  if (typeof tokens === "number") return problem(tokens, `nested deeper than ${DEFAULTS.openapiDepthMax} levels`);
  const composed = yield* composeDocument(tokens, text.length);
  if (composed === null) return problem(0, "cannot be read as YAML");
  const { document, faults, secondAt } = composed;
  const [first] = faults;
  if (first !== undefined) {
    const { message } = first;
    return problem(first.pos[0], `cannot be read as YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`);
  }
  if (secondAt !== null) return problem(secondAt, "a second document begins here; expected one");
  if (document.contents === null) return problem(0, "the file is empty");
  const aliases: AliasTargets = new Map();
  let isSound = true;
  const fault = (told: { readonly text: string }, offset: number): void => {
    isSound = false;
    problem(offset, told.text);
  };
  const value = yield* plainValue(document.contents, aliases, fault, reading);
  return isSound ? value : undefined;
}

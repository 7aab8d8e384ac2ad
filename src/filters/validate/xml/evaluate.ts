import { readXml, type XmlLimits } from "../../../bodies/xml/reader.ts";
import type { XmlFault } from "../../../bodies/xml/scanner.ts";
import type { Reason } from "../../../decision/reason.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Judgement, Validator } from "../../../schema/judge/validator.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { ok, type Result } from "../../../support/result.ts";
import { atOnce, type Steps, type Turns } from "../../../support/turns.ts";
import { verdictOf } from "../evaluate.ts";
import type { XmlElement } from "./plan.ts";
import { pathOf, XmlValue } from "./value.ts";

export interface XmlRules {
  readonly limits: XmlLimits;
  readonly showsErrors: boolean;
  readonly place: Place;
}

/** Of documents that are held against a schema. */
export interface XmlSchemaRules extends XmlRules {
  readonly root: XmlElement;
  readonly validator: Validator;
  /** Of the schema. */
  readonly schemaPlace: Place;
  /** Whether a rule behind this one looks at members of the body. */
  readonly keepsValue: boolean;
}

const REASON_OF: Readonly<Record<XmlFault["kind"], Reason>> = {
  malformed: "body_not_xml",
  limit: "xml_limit_exceeded",
  construct: "xml_construct_denied",
  meaning: "body_schema_mismatch",
};
const WANTED: Readonly<Record<XmlFault["kind"], string>> = {
  malformed: "a document of XML 1.0 in UTF-8 with each name in its namespace",
  limit: "a smaller document",
  construct: "no document type, entity, processing instruction or XInclude",
  meaning: "a document as the schema says, which readers do not take for another",
};

export function* judgeXml(bytes: Buffer, rules: XmlRules): Steps<Verdict> {
  const read = yield* readXml(bytes, rules.limits);
  return read.ok ? CONTINUE : denialOf(read.error, rules);
}

function denialOf({ kind, keyword = "xml", path = "", text }: XmlFault, { showsErrors, place }: XmlRules): Denial {
  const errors = showsErrors ? [{ pointer: path, keyword, detail: text }] : [];
  const seen = path === "" ? text : `${path}: ${text}`;
  return new Denial(REASON_OF[kind], place, seen, WANTED[kind], [], false, [], { faults: [seen], errors });
}

/** How documents are read and held against a schema: a short one in one go, a long one in turns. */
interface Way {
  read<T>(steps: Steps<T>): T | Promise<T>;
  judge(value: unknown): Judgement | Promise<Judgement>;
}

/** What its schema says of a short document; "later" where its patterns would hold the thread. */
export async function judgeShortBySchema(
  bytes: Buffer,
  exchange: Exchange,
  rules: XmlSchemaRules,
): Promise<Verdict | "later"> {
  const { validator } = rules;
  let gaveUp = false;
  const judge = (value: unknown): Judgement => {
    const judgement = validator.judge(value, DEFAULTS.patternWorkAtOnceMax);
    gaveUp ||= validator.gaveUp(judgement);
    return judgement;
  };
  const verdict = await judgeDocument(bytes, exchange, rules, { read: atOnce, judge });
  return gaveUp ? "later" : verdict;
}

/** What its schema says of a document, in turns. */
export function judgeBySchema(
  bytes: Buffer,
  exchange: Exchange,
  rules: XmlSchemaRules,
  turns: Turns,
): Promise<Verdict> {
  return judgeDocument(bytes, exchange, rules, {
    read: (steps) => turns.run(steps),
    judge: (value) => rules.validator.judgeInTurns(value, turns),
  });
}

/** Where readers may take white space off, a document has to fit without, too. */
async function judgeDocument(bytes: Buffer, exchange: Exchange, rules: XmlSchemaRules, way: Way): Promise<Verdict> {
  const first = await judgeOnce(bytes, false, rules, way);
  if (!first.ok) return first.error;
  if (rules.keepsValue) exchange.bodyValue = first.value.value;
  if (!first.value.hasBlankEnds) return CONTINUE;
  const trimmed = await judgeOnce(bytes, true, rules, way);
  return trimmed.ok ? CONTINUE : trimmed.error;
}

async function judgeOnce(
  bytes: Buffer,
  isTrimmed: boolean,
  rules: XmlSchemaRules,
  way: Way,
): Promise<Result<XmlValue, Verdict>> {
  const { limits, root, showsErrors, schemaPlace } = rules;
  const made = new XmlValue(root, isTrimmed);
  const read = await way.read(readXml(bytes, limits, made));
  if (!read.ok) return { ok: false, error: denialOf(read.error, rules) };
  const judgement = await way.judge(made.value);
  if (judgement === null) return ok(made);
  const error = verdictOf(withPaths(judgement, root, made.name), { showsErrors, place: schemaPlace });
  return { ok: false, error };
}

function withPaths(judgement: NonNullable<Judgement>, root: XmlElement, name: string): Judgement {
  return judgement.map((fault) => ({ ...fault, pointer: pathOf(root, name, fault.pointer) }));
}

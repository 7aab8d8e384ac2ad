import { readXml, type XmlFault, type XmlLimits } from "../../../bodies/xml/reader.ts";
import type { Reason } from "../../../decision/reason.ts";
import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { Steps } from "../../../support/turns.ts";

export interface XmlRules {
  readonly limits: XmlLimits;
  readonly showsErrors: boolean;
  readonly place: Place;
}

const REASON_OF: Readonly<Record<XmlFault["kind"], Reason>> = {
  malformed: "body_not_xml",
  limit: "xml_limit_exceeded",
  construct: "xml_construct_denied",
};
const WANTED: Readonly<Record<XmlFault["kind"], string>> = {
  malformed: "a document of XML 1.0 in UTF-8 with each name in its namespace",
  limit: "a smaller document",
  construct: "no document type, entity, processing instruction or XInclude",
};

export function* judgeXml(bytes: Buffer, { limits, showsErrors, place }: XmlRules): Steps<Verdict> {
  const read = yield* readXml(bytes, limits);
  if (read.ok) return CONTINUE;
  const { kind, text } = read.error;
  const errors = showsErrors ? [{ pointer: "", keyword: "xml", detail: text }] : [];
  return new Denial(REASON_OF[kind], place, text, WANTED[kind], [], false, [], { faults: [text], errors });
}

import { parseJson } from "../../../bodies/json.ts";
import { isJson, mediaTypeOf } from "../../../bodies/media-type.ts";
import { Denial } from "../../../decision/verdict.ts";
import { type Answer, OF_THE_BODY } from "../../../message/answer.ts";
import { HeaderBlock, NO_HEADERS } from "../../../message/headers.ts";
import { reasonPhrase } from "../../../support/http-status.ts";
import type { StreamRule } from "../../response-check.ts";
import type { PartContext, ResponsePart } from "../part.ts";
import { type ErrorsRule, type ErrorsSettings, errorsSchema } from "./schema.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const FILLERS = ["status", "title", "id"] as const;
const FILLER = /\{([A-Za-z_.]+)\}/g;

/** What stands in place of an error's body. */
interface Page {
  readonly contentType: string;
  write(answer: Pick<Answer, "status" | "id">): string;
}

const PROBLEM: Page = {
  contentType: "application/problem+json",
  write: ({ status, id }) => JSON.stringify({ type: "about:blank", title: titleOf(status), status, id }),
};

/** `errors`: bodies of the service's own errors, which tell of its inside, do not leave; their status does. */
export const errorsPart: ResponsePart<ErrorsSettings> = {
  schema: errorsSchema,
  compile(settings, context) {
    if (settings === "pass") return;
    const rule: ErrorsRule = settings === "problem" ? {} : settings;
    const page = pageOf(rule, context);
    if (page === null) return;
    const statuses = new Set(rule.status ?? ["4XX", "5XX"]);
    const isReplaced = (status: number): boolean =>
      statuses.has(String(status)) || statuses.has(`${Math.floor(status / 100)}XX`);
    const place = context.place();
    const noted = (): Denial => new Denial("response_denied", place, "the service's body of an error", "another body");
    context.addResponseCheck({
      name: "errors",
      place,
      enforcePercent: rule.mode ?? 100,
      // It looks into none: parts and compressed answers of others stay as they are.
      judgesBody: false,
      judgeHead: (_, answer) => {
        if (isReplaced(answer.status)) replaceHead(answer, page);
        return null;
      },
      judgeBody: (_, answer) => (isReplaced(answer.status) ? inPlace(Buffer.from(page.write(answer)), noted) : null),
    });
  },
};

function replaceHead(answer: Answer, { contentType }: Page): void {
  const { names, values } = answer.headers.without(OF_THE_BODY);
  answer.headers = new HeaderBlock([...names, "content-type"], [...values, contentType]);
  answer.isReplaced = true;
}

/** The whole of it leaves with the first bytes of the service's. */
function inPlace(text: Buffer, noted: () => Denial): StreamRule {
  let left = text;
  const take = (): Buffer => {
    const now = left;
    left = NOTHING;
    return now;
  };
  return { kind: "stream", changes: true, heldBytesMax: 0, take, end: take, noted, judgeTrailers: () => NO_HEADERS };
}

/** Null where a problem was reported. */
function pageOf({ template, contentType }: ErrorsRule, context: PartContext): Page | null {
  if (template === undefined) {
    if (contentType === undefined) return PROBLEM;
    context.problem("nothing is of this type; expected 'template' beside it", "contentType");
    return null;
  }
  const type = contentType ?? "application/json";
  for (const [written, name = ""] of template.matchAll(FILLER)) {
    if (FILLERS.some((filler) => filler === name)) continue;
    context.problem(`'${written}' is not filled in; expected {status}, {title} or {id}`, "template");
    return null;
  }
  const write: Page["write"] = ({ status, id }) => {
    const values: Readonly<Record<string, string>> = { status: String(status), title: titleOf(status), id };
    return template.replaceAll(FILLER, (_, name: string) => values[name] ?? "");
  };
  const parsed = parseJson(Buffer.from(write({ status: 500, id: "x" })));
  if (!parsed.ok && isJson(mediaTypeOf(type)?.type ?? "")) {
    context.problem(`it is no JSON: ${parsed.error}; expected JSON, or another 'contentType'`, "template");
    return null;
  }
  return { contentType: type, write };
}

function titleOf(status: number): string {
  return reasonPhrase(status) || "Error";
}

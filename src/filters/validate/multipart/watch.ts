import { isUtf8 } from "node:buffer";
import { FILE_START_BYTES, fileContentFault } from "../../../bodies/file-content.ts";
import { fileNameFault } from "../../../bodies/file-name.ts";
import { parseJson, parseJsonInTurns } from "../../../bodies/json.ts";
import { isJson, isText, type MediaType } from "../../../bodies/media-type.ts";
import { MultipartReader, type PartHandler } from "../../../bodies/multipart.ts";
import { holdsParts, type MimeHead, readMimeHead } from "../../../bodies/part-head.ts";
import type { Reason } from "../../../decision/reason.ts";
import { CONTINUE, Denial, type Verdict } from "../../../decision/verdict.ts";
import type { BodyWatch } from "../../../message/body-watch.ts";
import { ByteHold } from "../../../message/byte-hold.ts";
import type { Exchange } from "../../../message/exchange.ts";
import type { Judgement, Validator } from "../../../schema/judge/validator.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { ok } from "../../../support/result.ts";
import type { Turns } from "../../../support/turns.ts";
import { judgeParameter } from "../parameters.ts";
import { judgePartHeaders } from "../part-headers.ts";
import { type Later, PartReading, type Stop } from "../part-reading.ts";
import { PartOrder } from "./order.ts";
import { deny, type PartFault, type PartRule, type PartsRules, partDenial, unclear } from "./rules.ts";

/** What a part that says nothing is (RFC 2046 section 5.1). */
const USUAL_TYPE = "text/plain";

/** The part that is being read. */
interface OpenPart {
  readonly head: MimeHead;
  readonly rule: PartRule;
  readonly type: string;
  /** JSON or text that is held until it was judged; null for what passes. */
  readonly way: "json" | "text" | null;
  /** All of it, or its beginning until that was looked at. */
  readonly kept: ByteHold;
  bytes: number;
  isSeen: boolean;
}

/**
 * Judges a body whose parts are told apart by their place, as it streams. A part that has a schema, and the beginning of any
 * other, stay until they were judged; the rest goes on as it comes. The last boundary stays until all that must has come.
 */
export class PartsWatch implements BodyWatch, PartHandler<Stop, MimeHead> {
  flows = false;
  readonly #rules: PartsRules;
  readonly #reading: PartReading<MimeHead>;
  readonly #order: PartOrder;
  #part: OpenPart | null = null;

  constructor(rules: PartsRules, boundary: string, media: MediaType | null, exchange: Exchange) {
    this.#rules = rules;
    this.#order = new PartOrder(rules, media);
    const reader = new MultipartReader<Stop, MimeHead>(boundary, this, readMimeHead);
    this.#reading = new PartReading(reader, exchange, rules, null);
  }

  get ownBytes(): number {
    return this.#part?.kept.bytes ?? 0;
  }

  scan(piece: Buffer): number | Denial | Promise<number | Denial> {
    return this.#reading.scan(piece);
  }

  end(): Verdict {
    return this.#reading.end() ?? this.#order.end();
  }

  malformed(seen: string): Denial {
    return unclear(seen, this.#rules);
  }

  // ---- parts (PartHandler) ---------------------------------------------------------------------------------------

  onPart(head: MimeHead): Denial | null {
    const type = head.type ?? USUAL_TYPE;
    const rule = this.#order.next(head, type);
    if (rule instanceof Denial) return rule;
    const wrong = this.#judgeType(type, rule) ?? this.#judgeFileName(head, rule);
    if (wrong !== null) return wrong;
    const faults = judgePartHeaders(head, rule.headers);
    if (faults.length > 0) return this.#denyAll(faults.map((fault) => this.#fault("body_schema_mismatch", fault)));
    const way = rule.json !== null && isJson(type) ? "json" : rule.text !== null && isText(type) ? "text" : null;
    this.#part = { head, rule, type, way, kept: new ByteHold(), bytes: 0, isSeen: false };
    // Of what is not looked into nothing need stay.
    this.flows = way === null && !rule.checksContent;
    return null;
  }

  #judgeType(type: string, rule: PartRule): Denial | null {
    const { types } = rule;
    // Parts within parts are read by some services and passed over by others: only where the policy names them.
    const isTaken =
      types === null
        ? !holdsParts(type)
        : types.some((one) => (one.endsWith("/*") ? type.startsWith(one.slice(0, -1)) : one === type));
    if (isTaken) return null;
    const detail =
      types === null ? "expected a part that holds no others" : `expected a part of one of: ${types.join(", ")}`;
    return this.#deny("file_type_unsupported", rule, "types", detail, `type ${excerpt(type)}`);
  }

  #judgeFileName({ fileName }: MimeHead, rule: PartRule): Denial | null {
    const fault = fileName === null || fileName === "" ? null : fileNameFault(fileName);
    if (fault === null) return null;
    return this.#deny(
      "file_name_invalid",
      rule,
      "fileName",
      "expected the name of a file alone",
      `a file name with ${fault}`,
    );
  }

  onContent(bytes: Buffer): Denial | null {
    const part = this.#part;
    if (part === null) return null;
    part.bytes += bytes.length;
    const { rule, way } = part;
    const { heldBytesMax } = this.#rules;
    const bytesMax = way === null ? rule.bytesMax : Math.min(rule.bytesMax, heldBytesMax);
    if (part.bytes > bytesMax) {
      const keyword = bytesMax === rule.bytesMax ? "maxBytes" : "maxHeldBytes";
      return this.#deny("form_part_too_large", rule, keyword, `expected at most ${bytesMax} bytes`, "more bytes");
    }
    if (this.flows || part.isSeen) return null;
    part.kept.add(way === null ? bytes.subarray(0, FILE_START_BYTES - part.kept.bytes) : bytes);
    part.kept.keep();
    return way !== null || part.kept.bytes < FILE_START_BYTES ? null : this.#lookInto(part);
  }

  /** The beginning of a part is here, or all of it. */
  #lookInto(part: OpenPart): Denial | null {
    part.isSeen = true;
    this.flows = true;
    const seen = fileContentFault(part.type, part.kept.take() ?? NO_BYTES);
    if (seen === null) return null;
    const detail = "expected content of the type that the part has";
    return this.#deny("file_content_mismatch", part.rule, "content", detail, seen);
  }

  onPartEnd(): Stop | null {
    const part = this.#part;
    this.#part = null;
    if (part === null) return null;
    const { head, bytes, way } = part;
    if (head.contentBytes !== null && head.contentBytes !== bytes)
      return this.malformed("a part of another length than its Content-Length");
    const stop = way === null ? this.#endPassing(part) : this.#endHeld(part);
    this.flows = false;
    return stop ?? this.#reading.pause;
  }

  #endPassing(part: OpenPart): Denial | null {
    return this.flows || part.isSeen ? null : this.#lookInto(part);
  }

  #endHeld({ rule, way, kept }: OpenPart): Stop | null {
    const bytes = kept.take() ?? NO_BYTES;
    const { json, text } = rule;
    if (way === "json" && json !== null) return this.#judgeJson(bytes, json, rule);
    if (!isUtf8(bytes)) return this.malformed("a part of text that is no UTF-8");
    if (text === null) return null;
    const faults = judgeParameter(text, ok([bytes.toString("utf8")]));
    return this.#denyAll(faults.map((fault) => this.#fault("body_schema_mismatch", fault)));
  }

  // ---- parts of JSON ---------------------------------------------------------------------------------------------

  #judgeJson(bytes: Buffer, validator: Validator, rule: PartRule): Stop | null {
    const later: Later = (turns) => this.#judgeLong(bytes, validator, rule, turns);
    if (bytes.length > validator.atOnceBytesMax) return later;
    const parsed = parseJson(bytes);
    if (!parsed.ok) return this.#notJson(parsed.error, rule);
    const judgement = validator.judge(parsed.value, DEFAULTS.patternWorkAtOnceMax);
    return validator.gaveUp(judgement) ? later : this.#denialOf(judgement, rule);
  }

  async #judgeLong(bytes: Buffer, validator: Validator, rule: PartRule, turns: Turns): Promise<Verdict> {
    const parsed = await parseJsonInTurns(bytes, turns);
    if (!parsed.ok) return this.#notJson(parsed.error, rule);
    return this.#denialOf(await validator.judgeInTurns(parsed.value, turns), rule) ?? CONTINUE;
  }

  // ---- faults ----------------------------------------------------------------------------------------------------

  #denialOf(judgement: Judgement, rule: PartRule): Denial | null {
    const own = rule.placeOf("schema");
    return this.#denyAll(
      (judgement ?? []).map(({ pointer, keyword, detail, place }) => {
        const seen = `${excerpt(pointer || "/")} ${keyword}`;
        const at = place === null ? own : { ...place, path: own.path };
        return this.#fault("body_schema_mismatch", { pointer, keyword, detail, seen, place: at });
      }),
    );
  }

  #fault(reason: Reason, fault: Omit<PartFault, "reason" | "part">): PartFault {
    return { ...fault, reason, part: this.#order.count };
  }

  #denyAll([first, ...others]: readonly PartFault[]): Denial | null {
    return first === undefined ? null : partDenial([first, ...others], this.#rules.showsErrors);
  }

  #notJson(seen: string, rule: PartRule): Denial {
    return this.#deny("body_not_json", rule, "schema", "expected JSON in UTF-8", seen);
  }

  #deny(reason: Reason, rule: PartRule, keyword: string, detail: string, seen: string): Denial {
    return deny(reason, this.#order.count, rule, keyword, detail, seen, this.#rules);
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);

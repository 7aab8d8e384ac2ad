import { isUtf8 } from "node:buffer";
import { err, ok, type Result } from "../../support/result.ts";
import { CARRIAGE_RETURN, LINE_FEED } from "../json-bytes.ts";
import type { Framing, Item } from "./framing.ts";

/** Characters at which some readers end a line and others do not, and those that no text needs. */
const ODD = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\u0085\u2028\u2029]|\r(?!\n)/;

/** A number of milliseconds; of more digits readers make different things. */
const RETRY = /^\d{1,9}$/;

/**
 * An event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6), an event as the object that
 * OpenAPI 3.2 makes of it: `data` lines joined with LF, `event`, `id`, and `retry` as a number. Of what readers disagree on
 * nothing is let in: a CR that ends a line alone, other line ends, a byte order mark, fields of other names, those that stand
 * twice, and an event that the body cuts off.
 */
export function eventFraming(): Framing {
  let lineBytes = 0;
  let last = LINE_FEED;
  return {
    end: (bytes, from) => {
      for (let at = from; ; ) {
        const end = bytes.indexOf(LINE_FEED, at);
        const to = end < 0 ? bytes.length : end;
        lineBytes += to - at;
        if (to > at) last = bytes[to - 1] ?? 0;
        if (end < 0) return -1;
        const isEmpty = lineBytes === 0 || (lineBytes === 1 && last === CARRIAGE_RETURN);
        lineBytes = 0;
        at = end + 1;
        if (isEmpty) return at;
      }
    },
    read: (bytes, isCut) => {
      if (!isUtf8(bytes)) return err("not UTF-8");
      const text = bytes.toString("utf8");
      if (ODD.test(text)) return err("a line end or a mark that readers take for different things");
      const item = eventOf(text.split(/\r?\n/));
      return item.ok && item.value !== null && isCut ? err("an event that no empty line ends") : item;
    },
  };
}

function eventOf(lines: readonly string[]): Result<Item | null, string> {
  const data: string[] = [];
  const fields = new Map<string, string | number>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    // A comment, or the line that ends the event.
    if (colon === 0 || line === "") continue;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") data.push(value);
    else if (name !== "event" && name !== "id" && name !== "retry") return err("a field that is none of an event's");
    else if (fields.has(name)) return err(`'${name}' twice in one event`);
    else if (name !== "retry") fields.set(name, value);
    else if (RETRY.test(value)) fields.set(name, Number(value));
    else return err("'retry' that is no number");
  }
  if (data.length > 0) fields.set("data", data.join("\n"));
  return ok(fields.size === 0 ? null : { value: Object.fromEntries(fields) });
}

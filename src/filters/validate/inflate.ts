import { CODINGS } from "../../bodies/codings.ts";
import { bodyOf, InflatedBody } from "../../bodies/inflated-body.ts";
import { CONTINUE, Denial, type HeaderLine, type Place } from "../../decision/verdict.ts";
import { type Account, Charge } from "../../memory/account.ts";
import { clientOf } from "../../message/address.ts";
import { excerpt } from "../../support/excerpt.ts";
import { headersOfChangedBody } from "./changed-headers.ts";
import { isRespelled, type SyncPart } from "./parameter-parts.ts";

const WANTED = "gzip, deflate, br, zstd, or identity";
const HEADERS: readonly HeaderLine[] = [["accept-encoding", "gzip, deflate, br, zstd, identity"]];

/**
 * A compressed body is judged, and goes on, as what it holds. It is so while the check only audits, too: nothing of what
 * the service reads is another.
 */
export function inflateBody(place: Place, ratioMax: number, bodies: Account): SyncPart {
  const denied = (seen: string): Denial => {
    return new Denial("content_encoding_unsupported", place, `content encoding ${seen}`, WANTED, HEADERS);
  };
  return (exchange) => {
    const { headers, collectedBody } = exchange;
    if (isRespelled(headers, "content-encoding")) return denied("in another spelling");
    const text = headers.list("content-encoding")?.toLowerCase();
    const hasBody = collectedBody !== null || exchange.body.announcedBytes !== 0;
    if (text === undefined || text === "identity" || !hasBody) return CONTINUE;
    const coding = CODINGS.get(text);
    if (coding === undefined) return denied(excerpt(text));
    const inner = collectedBody === null ? exchange.body : bodyOf(collectedBody);
    const body = new InflatedBody(inner, coding, ratioMax, new Charge(bodies, clientOf(exchange.clientAddress)));
    const stop = (): void => body.stop();
    exchange.take({ giveBack: stop, onEnd: stop });
    exchange.collectedBody = null;
    exchange.body = body;
    exchange.headers = headersOfChangedBody(headers, ["content-encoding"]);
    return CONTINUE;
  };
}

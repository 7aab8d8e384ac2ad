import * as z from "zod";
import type { Exchange } from "../message/exchange.ts";

const SOURCE = String.raw`https?:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?`;
const error = "expected an origin: scheme and host in lower case, no path, as in https://app.example.org";

/** A page's origin as browsers send it (RFC 6454 section 6.2). */
export const originText = z.string().regex(new RegExp(`^${SOURCE}$`), { error });

/** The same, or `*` for pages of anybody. */
export const originOrAny = z.string().regex(new RegExp(`^(?:\\*|${SOURCE})$`), { error });

/** Whether a page of `origin` (lower case) is one of the authority that is asked. */
export function isOwnOrigin(origin: string, { authority, connection }: Exchange): boolean {
  const host = authority.toLowerCase();
  // Over TLS a page of http:// is somebody else's who sits on the way.
  if (withoutDefaultPort(origin) === withoutDefaultPort(`https://${host}`)) return true;
  return !connection.secure && withoutDefaultPort(origin) === withoutDefaultPort(`http://${host}`);
}

/** Browsers leave the default port out of Origin, whoever writes policies and Host headers may not. */
export function withoutDefaultPort(origin: string): string {
  if (origin.startsWith("https://")) return origin.replace(/:443$/, "");
  return origin.startsWith("http://") ? origin.replace(/:80$/, "") : origin;
}

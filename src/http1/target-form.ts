import { HeadFault, withoutEmptyPort } from "./head.ts";

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;
const SLASH = 0x2f;

/**
 * The four forms of a request target (RFC 9112 section 3.2), reduced to the one that is judged and forwarded. Absolute form
 * must name the same authority as Host, and so must CONNECT, which is refused for its method anyway. The asterisk has no
 * path that a route could match.
 */
export function originForm(method: string, raw: string, authority: string): string | HeadFault {
  if (method === "CONNECT") {
    return sameAuthority(raw, authority)
      ? "/"
      : new HeadFault("target_ambiguous", "CONNECT to another authority than Host's");
  }
  if (raw.charCodeAt(0) === SLASH) return raw;
  const absolute = ABSOLUTE_FORM.exec(raw);
  if (absolute === null) return new HeadFault("target_ambiguous", "asterisk or authority form");
  if (!sameAuthority(withoutEmptyPort(absolute[1] ?? ""), authority)) {
    return new HeadFault("target_ambiguous", "absolute target whose authority is not Host's");
  }
  const rest = absolute[2] ?? "";
  return rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
}

const sameAuthority = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

import { canonicalTarget, type Target, type TargetFault } from "../message/target.ts";
import { err, type Result } from "../support/result.ts";

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * The four request forms of RFC 9112 section 3.2, reduced to the one that is judged. Absolute form must name the same
 * authority as Host; asterisk and authority form have no path that a route could match.
 */
export function requestTarget(method: string, raw: string, authority: string): Result<Target, TargetFault> {
  if (raw.charCodeAt(0) === SLASH) return canonicalTarget(raw);
  if (method === "CONNECT") return canonicalTarget("/"); // refused for its method, whatever its target
  const absolute = ABSOLUTE_FORM.exec(raw);
  if (absolute === null) return err({ seen: "asterisk or authority form", wanted: "a path" });
  if ((absolute[1] ?? "").toLowerCase() !== authority.toLowerCase()) {
    return err({ seen: "absolute target whose authority is not Host's", wanted: "the same authority in both" });
  }
  const rest = absolute[2] ?? "";
  return canonicalTarget(rest.startsWith("/") ? rest : `/${rest}`);
}

const SLASH = 0x2f;

import { isThisMachine } from "../calls/call-url.ts";
import { canonicalTarget } from "../message/target.ts";
import { err, ok, type Result } from "../support/result.ts";

/** The service as a protected resource (RFC 9728), and where it is described. */
export interface ResourceSetting {
  /** Its identifier, as the policy has it: clients compare it letter by letter. */
  readonly resource: string;
  readonly url: string;
  /** Canonical, as requests for it have it. */
  readonly path: string;
}

const EXPECTED = "expected the https: URL of the service, without query and '#', as in https://api.example.org/orders";
const VISIBLE = /^[\x21-\x7e]+$/;

/** The identifier of a resource → where its metadata is: the well-known path stands before its own (RFC 9728 section 3.1). */
export function parseResource(text: string): Result<ResourceSetting, string> {
  const url = VISIBLE.test(text) && !/["\\?#]/.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== "" || url.password !== "") return err(EXPECTED);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isThisMachine(url))) return err(EXPECTED);
  const own = url.pathname === "/" ? "" : url.pathname;
  const target = canonicalTarget(`/.well-known/oauth-protected-resource${own}`);
  if (!target.ok) return err(`the path has ${target.error.seen}; expected ${target.error.wanted}`);
  const { path } = target.value;
  return ok({ resource: text, url: `${url.origin}${path}`, path });
}

/** An address for people, as it stands. */
export function parsePage(text: string): Result<string, string> {
  const isPage = VISIBLE.test(text) && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isPage ? ok(text) : err("expected a URL, as in https://docs.example.org/orders");
}

import { isThisMachine } from "../calls/call-url.ts";
import { canonicalTarget } from "../message/target.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Path } from "./path.ts";

/** The service as a protected resource (RFC 9728), and where it is described. */
export interface ResourceSetting {
  /** Its identifier, as the policy has it: clients compare it letter by letter. */
  readonly resource: string;
  readonly url: string;
  /** Canonical, as requests for it have it. */
  readonly path: string;
  /** Of the identifier, without a slash at its end: the service's routes below it are the resource's. */
  readonly ownPath: string;
}

/** The same with what else the policy says of it. */
export interface ResourceEntry extends ResourceSetting {
  readonly name: string | undefined;
  readonly documentation: string | undefined;
  /** Where the policy has it. */
  readonly at: Path;
}

/** What a route asks of its callers, for the page of its resource. */
export interface RouteUse {
  readonly template: string;
  readonly authenticators: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
}

const EXPECTED = "expected the https: URL of the service, without query and '#', as in https://api.example.org/orders";
const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const VISIBLE = /^[\x21-\x7e]+$/;

/** The identifier of a resource → where its metadata is: the well-known path stands before its own (RFC 9728 section 3.1). */
export function parseResource(text: string): Result<ResourceSetting, string> {
  const url = VISIBLE.test(text) && !/["\\?#]/.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== "" || url.password !== "") return err(EXPECTED);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isThisMachine(url))) return err(EXPECTED);
  const own = url.pathname === "/" ? "" : url.pathname;
  const target = canonicalTarget(`${WELL_KNOWN}${own}`);
  if (!target.ok) return err(`the path has ${target.error.seen}; expected ${target.error.wanted}`);
  const { path } = target.value;
  const ownPath = path.slice(WELL_KNOWN.length).replace(/\/$/, "");
  return ok({ resource: text, url: `${url.origin}${path}`, path, ownPath });
}

/** An address for people, as it stands. */
export function parsePage(text: string): Result<string, string> {
  const isPage = VISIBLE.test(text) && URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  return isPage ? ok(text) : err("expected a URL, as in https://docs.example.org/orders");
}

import { Denial, type HeaderLine } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { HeaderBlock } from "../message/headers.ts";
import type { OwnPage, Snapshot } from "../policy/snapshot.ts";

/** What postern says in place of the service, where nothing is refused. */
export class OwnAnswer {
  /** Without framing. */
  readonly headers: HeaderBlock;
  readonly body: Buffer;
  readonly status: number;
  /** It is a route's, whose rules for answers hold for it. */
  readonly isOfRoute: boolean;

  constructor(headers: HeaderBlock, body: Buffer, status: number = 200, isOfRoute: boolean = false) {
    this.headers = headers;
    this.body = body;
    this.status = status;
    this.isOfRoute = isOfRoute;
  }
}

/** The part of a subject that this looks at. */
export interface PageSubject {
  readonly snapshot: Snapshot;
  readonly exchange: Exchange;
  /** Set where the request is for it: then no route takes it, and nothing of it reaches the service. */
  ownPage: OwnPage | null;
}

const ALLOW = "GET, HEAD, OPTIONS";
const ALLOW_LINE: HeaderLine = ["allow", ALLOW];
const NOTHING = Buffer.alloc(0);

/** Headers of their own, as MCP-Protocol-Version, make browsers ask first whether they may (Fetch section 3.2). */
const OPTIONS = new HeaderBlock(
  ["allow", "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers"],
  [ALLOW, "*", ALLOW, "*"],
);

/** The answer of one of the policy's own pages, or why this request gets none; null for a request of anything else. */
export function judgeOwnPage(subject: PageSubject): OwnAnswer | Denial | null {
  const { ownPages } = subject.snapshot;
  if (ownPages.size === 0) return null;
  const { method, target, body, upgrade } = subject.exchange;
  const page = ownPages.get(target.path);
  if (page === undefined) return null;
  subject.ownPage = page;
  if (upgrade !== null) {
    return new Denial("upgrade_refused", page.place, "upgrade to websocket", "a request for the page alone");
  }
  if (body.isStray) return new Denial("request_malformed", null, `body in a ${method} request`, "none");
  if (method === "GET" || method === "HEAD") return new OwnAnswer(page.headers, page.body);
  if (method === "OPTIONS") return new OwnAnswer(OPTIONS, NOTHING);
  return new Denial("method_not_allowed", page.place, `method ${method}`, ALLOW, [ALLOW_LINE]);
}

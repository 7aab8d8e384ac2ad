import { sqlInjection } from "../detection/sqli/judge.ts";
import { crossSiteScript } from "../detection/xss/judge.ts";
import { USER_AGENT_GROUPS } from "../filters/bots/user-agents.ts";
import { methodName } from "../inventory/route-use.ts";
import type { DecisionFacts } from "../records/decision-facts.ts";
import type { RecordedRequest } from "../records/recorded-line.ts";
import type { LeftOutWord } from "./left-out.ts";
import { isKnown } from "./sources.ts";

/** Why nothing is learnt of a request, as far as it tells by itself; null for one that counts. */
export function faultOf({ facts, hasHeaders }: RecordedRequest): LeftOutWord | null {
  if (facts.verdict === "deny") return "denied";
  if (isAttack(facts)) return "attack";
  if (isOfTool(facts)) return "scanner";
  const fault = answerFault(facts, hasHeaders);
  if (fault !== null) return fault;
  return isOdd(facts) ? "odd" : null;
}

/**
 * Only the service's own word makes anything part of its API, never what a client asks for. Services send whoever asks for
 * anything to their log-in page: a redirect counts where the caller was known already.
 */
function answerFault(facts: DecisionFacts, hasHeaders: boolean): LeftOutWord | null {
  const { verdict, status, reason, upstreamMs } = facts;
  if (verdict !== "allow" || reason !== null) return "unanswered";
  if (hasHeaders && upstreamMs === null) return status < 400 ? "answered" : "unanswered";
  if ((status >= 200 && status < 300) || status === 304 || status === 101) return null;
  if (status < 300 || status >= 400) return "unanswered";
  return isKnown(facts) ? null : "redirected";
}

const ATTACK_REASONS: ReadonlySet<string> = new Set(["attack_detected", "search_limit_exceeded"]);
/** Steps of paths that scanners ask every service for, and that a page which answers everything answers too. */
const PROBE =
  /\/(?:\.(?:env|git|svn|hg|aws|ssh|docker|vscode|idea|htaccess|htpasswd|DS_Store)(?:[./]|$)|wp-(?:admin|login|content|includes|json)|phpmyadmin|phpunit|phpinfo|xmlrpc\.php|cgi-bin\/|HNAP1|boaform|etc\/passwd|server-status)/i;
const ATTACK_TEXT = /<|>|`|\$\{|\0|\.\.[/\\]|\|\||\/\*|\bunion\b.*\bselect\b/i;
/** Names by which libraries that make objects of queries reach what all objects have in common. No policy can say `__proto__`, either. */
const POLLUTION = /(?:^|\W)(?:__proto__|constructor\W+prototype)(?:\W|$)/;
const HARMLESS = /^[\w.~:@/+-]*$/;

function isAttack({ audited, path, query }: DecisionFacts): boolean {
  if (audited.some(({ reason }) => ATTACK_REASONS.has(reason))) return true;
  if (PROBE.test(path)) return true;
  if (!HARMLESS.test(path) && isAttackText(decoded(path))) return true;
  return query.some((name) => POLLUTION.test(name) || isAttackText(name));
}

function isAttackText(text: string): boolean {
  if (HARMLESS.test(text)) return false;
  if (ATTACK_TEXT.test(text)) return true;
  return text.split("/").some((part) => crossSiteScript(part) !== undefined || sqlInjection(part) !== undefined);
}

function isOfTool({ headers }: DecisionFacts): boolean {
  const line = headers.find((one) => one.startsWith(AGENT));
  if (line === undefined) return false;
  const agent = line.slice(AGENT.length).toLowerCase();
  return USER_AGENT_GROUPS.scanners.some((name) => agent.includes(name));
}

const AGENT = "user-agent: ";

/** Names that a form, a framework or a query language gives: `page`, `filter[state]`, `$top`, `user.name`. */
const PARAMETER_NAME = /^[A-Za-z_$@][\w.$:@[\]-]{0,63}$/;

function isOdd({ method, path, query }: DecisionFacts): boolean {
  if (methodName(method) !== method) return true;
  // A path that the record has cut may be another operation's.
  if (path.endsWith("…") || !path.startsWith("/") || path.includes("\ufffd") || path.includes("//")) return true;
  return !query.every((name) => PARAMETER_NAME.test(name));
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { CONTINUE, Denial, type Place, type Verdict } from "../../../decision/verdict.ts";
import type { Answer } from "../../../message/answer.ts";
import type { Exchange } from "../../../message/exchange.ts";
import { HeaderBlock } from "../../../message/headers.ts";
import { excerpt } from "../../../support/excerpt.ts";
import type { TargetRewrite } from "../../rewrite/evaluate.ts";
import { holdsInternalAddress, isInternalHost } from "./hosts.ts";
import type { LocationSettings } from "./schema.ts";

/** Where a reference leads: it may stay, as it is or as `text`; or it leads to what the log is told. */
type Lead = { readonly text: string } | { readonly elsewhere: string };

const ODDLY_READ: Lead = { elsewhere: "what clients read in different ways" };

/** What a link is about, where that is not the answer itself (RFC 8288 section 3.2). */
const ANCHOR = /(;[ \t]*anchor[ \t]*=[ \t]*"?)([^"\s;,]*)/gi;
const COOKIE_PATH = /(;[ \t]*path[ \t]*=[ \t]*)([^;\s]*)/gi;
/** No name of anybody's: who has it after parsing named no host. */
const BASE = "https://nowhere.invalid";
/** Seconds, and where to: as browsers read it (HTML section 4.2.5.3, "shared declarative refresh steps"). */
const REFRESH = /^([\d.]+)[ \t]*(?:[;,][ \t]*|[ \t]+)(?:url[ \t]*=[ \t]*)?(["']?)(.*)$/i;
/** Browsers strip or turn these, other clients do not; and a scheme that is followed by less than `//` is relative to some. */
const ODD = /[\\\x00-\x20\x7f-\uffff]|^https?:(?!\/\/)/i;

/** References in the head of an answer: internal hosts come off, and the client is led only where the policy says. */
export class LocationRule {
  readonly #place: Place;
  readonly #settings: LocationSettings;
  readonly #rewrite: TargetRewrite | null;

  constructor(place: Place, settings: LocationSettings, rewrite: TargetRewrite | null) {
    this.#place = place;
    this.#settings = settings;
    this.#rewrite = rewrite;
  }

  judgeHead(exchange: Exchange, answer: Answer): Verdict {
    const { headers } = answer;
    if (headers.count("location") > 1) return this.#denial("several Location lines");
    const names: string[] = [];
    const values: string[] = [];
    let isSame = true;
    for (const [at, name] of headers.names.entries()) {
      const value = headers.values[at] ?? "";
      const lead = this.#lead(name, value, exchange);
      if (lead !== null && "elsewhere" in lead && this.#settings.others !== "remove")
        return this.#denial(`${name} leads to ${lead.elsewhere}`);
      const left = lead === null || "elsewhere" in lead ? null : lead.text;
      isSame &&= left === value;
      if (left === null) continue;
      names.push(name);
      values.push(left);
    }
    if (!isSame) answer.headers = new HeaderBlock(names, values);
    return CONTINUE;
  }

  #denial(seen: string): Denial {
    return new Denial("response_denied", this.#place, seen, "the host that was asked, or one of 'allow'");
  }

  /** What becomes of a header; null where it comes off. */
  #lead(name: string, value: string, exchange: Exchange): Lead | null {
    if (name === "location" || name === "content-location") return this.#passing(value, exchange);
    if (name === "refresh") return this.#refresh(value, exchange);
    if (name === "set-cookie") return { text: this.#cookie(value) };
    if (name === "link") {
      const link = (target: string): string => `<${this.#inner(target, exchange)}>`;
      const targets = value.replace(/<([^>]*)>/g, (_, target: string) => link(target));
      return {
        text: targets.replace(ANCHOR, (_, name: string, context: string) => name + this.#inner(context, exchange)),
      };
    }
    return this.#settings.addresses === "remove" && holdsInternalAddress(value) ? null : { text: value };
  }

  /** Browsers would not send it back where clients ask. One of the whole host stays that. */
  #cookie(value: string): string {
    const outer = (path: string): string =>
      path === "/" ? path : this.#outer(path).replace(/(?<=.)\/$/, path.endsWith("/") ? "/" : "");
    return value.replace(COOKIE_PATH, (_, lead: string, path: string) => lead + outer(path));
  }

  #passing(value: string, exchange: Exchange): Lead {
    const lead = this.#follow(value, exchange);
    return "elsewhere" in lead && this.#settings.others === "pass" ? { text: value } : lead;
  }

  #refresh(value: string, exchange: Exchange): Lead {
    if (/^[\d.]*$/.test(value)) return { text: value };
    const [, seconds = "", quote = "", rest = ""] = REFRESH.exec(value) ?? [];
    const end = quote === "" ? -1 : rest.indexOf(quote);
    const target = end < 0 ? rest : rest.slice(0, end);
    const lead = seconds === "" ? ODDLY_READ : this.#passing(target, exchange);
    if ("elsewhere" in lead) return this.#settings.others === "pass" ? { text: value } : lead;
    return lead.text === target ? { text: value } : { text: `${seconds}; url=${lead.text}` };
  }

  /** A link is a statement and leads nobody: others stay. */
  #inner(target: string, exchange: Exchange): string {
    const lead = this.#follow(target, exchange);
    return "elsewhere" in lead ? target : lead.text;
  }

  #follow(value: string, { authority, connection }: Exchange): Lead {
    if (value === "") return { text: value };
    if (ODD.test(value) || !URL.canParse(value, BASE)) return ODDLY_READ;
    const url = new URL(value, BASE);
    if (url.origin === BASE) return { text: this.#outer(value) };
    if (url.username !== "" || url.password !== "") return { elsewhere: "a URL with credentials" };
    if (!/^https?:$/.test(url.protocol))
      return this.#isAllowed(url.protocol, "") ? { text: value } : { elsewhere: excerpt(url.protocol, 32) };
    const asked = URL.canParse(`${url.protocol}//${authority}`) ? new URL(`${url.protocol}//${authority}`).host : null;
    if (url.host === asked) {
      // A service that does not know of TLS would lead its client out of it.
      if (connection.secure && url.protocol === "http:") return { text: this.#outer(behindHost(value)) };
      return { text: this.#rewrite?.prefix == null ? value : url.origin + this.#outer(behindHost(value)) };
    }
    if (this.#isAllowed(`${url.protocol}//`, url.host)) return { text: value };
    if (this.#isInternal(url)) return { text: this.#outer(behindHost(value)) };
    return { elsewhere: excerpt(url.origin, 128) };
  }

  #isAllowed(scheme: string, host: string): boolean {
    return (this.#settings.allow ?? []).some((entry) => {
      if (!entry.startsWith(scheme)) return false;
      const own = entry.slice(scheme.length);
      return own.startsWith("*.") ? host.endsWith(own.slice(1)) && host.length >= own.length : own === host;
    });
  }

  #isInternal({ hostname, host, protocol }: URL): boolean {
    const told = this.#rewrite?.authority ?? null;
    if (told !== null && URL.canParse(`${protocol}//${told}`) && new URL(`${protocol}//${told}`).host === host)
      return true;
    const isNamed = (this.#settings.internal ?? []).some((name) =>
      name.startsWith("*.") ? hostname.endsWith(name.slice(1)) : name === hostname,
    );
    return isNamed || isInternalHost(hostname);
  }

  /** As clients ask for it: the service does not know of a prefix that was exchanged, unless it was told and obeys. */
  #outer(reference: string): string {
    const prefix = this.#rewrite?.prefix ?? null;
    if (prefix === null || !reference.startsWith("/")) return reference;
    const { from, to } = prefix;
    if ((from !== "" && begins(reference, from)) || !begins(reference, to)) return reference;
    // Never two slashes in front, which would be a host.
    return from === ""
      ? `/${reference.slice(to.length).replace(/^\/+/, "")}`
      : from + (reference.slice(to.length) || "/");
  }
}

/** Whole segments; an empty `beginning` begins all. */
function begins(path: string, beginning: string): boolean {
  if (beginning === "") return true;
  return path.startsWith(beginning) && /^(?:[/?#]|$)/.test(path.slice(beginning.length));
}

/** What follows the host of a URL as it stands, with a slash in front, and never two, which would be a host again. */
function behindHost(value: string): string {
  const rest = value.replace(/^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i, "");
  return `/${rest.replace(/^\/+/, "")}`;
}

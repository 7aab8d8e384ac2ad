import type { HeaderBlock } from "./headers.ts";

/** Values of the cookie `name` in all Cookie lines (RFC 6265 section 4.2), as they stand there. */
export function cookieValues({ names, values }: HeaderBlock, name: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < names.length; at++) {
    if (names[at] !== "cookie") continue;
    for (const crumb of (values[at] ?? "").split(";")) {
      if (nameOf(crumb) === name) found.push(crumb.slice(crumb.indexOf("=") + 1).trim());
    }
  }
  return found;
}

/**
 * One value as one text, however it is spelled: services decode escapes (Express, PHP) and take off quotes, with what is
 * escaped within them (Python's http.cookies), so that who has one cookie could show it in thousands of forms. For
 * comparing such texts alone: as latin1, of a value that no service may have.
 */
export function plainCookie(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  if (!isQuoted && !value.includes("%")) return value;
  const bare = isQuoted
    ? value.slice(1, -1).replace(/\\([0-3][0-7][0-7]|.)/g, (_, one: string) => unescaped(one))
    : value;
  return bare.replace(/%([\dA-Fa-f]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
}

function unescaped(text: string): string {
  return text.length === 3 ? String.fromCharCode(Number.parseInt(text, 8)) : text;
}

/**
 * Whether the cookie `name` stands there in another spelling: with more than blanks around its name, or with what PHP takes
 * for `_`, a dot, a blank or a bracket. A browser that is given ` __Host-id` behind a space of Unicode holds it for another
 * cookie, which any page of the domain may set; servers trim it.
 */
export function isCookieDisguised({ names, values }: HeaderBlock, name: string): boolean {
  return values.some(
    (value, at) =>
      names[at] === "cookie" &&
      value.split(";").some((crumb) => {
        const other = nameOf(crumb);
        if (other === name) return !crumb.replace(/^[ \t]+/, "").startsWith(name);
        if (other.length !== name.length) return false;
        return name.includes("_") && other.replace(/[. [\]]/g, "_") === name;
      }),
  );
}

/** Whether a cookie stands there that ASP.NET takes for `name` as well, in another case. To most it is one of somebody else's. */
export function isCookieInOtherCase(headers: HeaderBlock, name: string): boolean {
  return cookieNames(headers).some((other) => other !== name && other.toLowerCase() === name.toLowerCase());
}

/** Names of all cookies. */
export function cookieNames({ names, values }: HeaderBlock): string[] {
  return values.flatMap((value, at) => (names[at] === "cookie" ? value.split(";").map(nameOf) : []));
}

/** One Cookie line's value without the cookies of these names; empty where nothing is left. */
export function withoutCookies(value: string, names: ReadonlySet<string>): string {
  const crumbs = value.split(";");
  const left = crumbs.filter((crumb) => !names.has(nameOf(crumb)));
  return left.length === crumbs.length ? value : left.join(";").trim();
}

/** Servers read a crumb without `=` as a name without a value, or as a value without a name; as a name it comes off too. */
function nameOf(crumb: string): string {
  const equals = crumb.indexOf("=");
  return (equals < 0 ? crumb : crumb.slice(0, equals)).trim();
}

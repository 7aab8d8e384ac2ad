import type { PartContext, ResponsePart } from "../part.ts";
import { CookieFlags } from "./evaluate.ts";
import { type CookieRule, type CookiesSettings, cookiesSchema } from "./schema.ts";

/** `cookies`: flags that cookies of the service leave with. */
export const cookiesPart: ResponsePart<CookiesSettings> = {
  schema: cookiesSchema,
  compile(settings, context) {
    const rules: readonly CookieRule[] = Array.isArray(settings) ? settings : [settings as CookieRule];
    const isSound = rules.map((rule, at) => isRuleSound(rule, Array.isArray(settings) ? [at] : [], context));
    if (!isSound.includes(false)) context.addHeadEdit(new CookieFlags(rules));
  },
};

/** Reports what browsers would not take. */
function isRuleSound(rule: CookieRule, at: readonly number[], context: PartContext): boolean {
  const { secure, sameSite, partitioned } = rule;
  const needs = sameSite === "None" ? "sameSite" : partitioned === true ? "partitioned" : null;
  if (needs !== null && secure !== true) {
    const word = needs === "sameSite" ? "sameSite: None" : "partitioned: true";
    context.problem(
      `browsers drop such a cookie without Secure; expected 'secure: true' beside '${word}'`,
      ...at,
      needs,
    );
    return false;
  }
  if (secure === undefined && rule.httpOnly === undefined && sameSite === undefined && partitioned === undefined)
    context.warning("no_effect", "it says nothing of its cookies", ...at);
  return true;
}

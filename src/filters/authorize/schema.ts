import * as z from "zod";
import { parseClaimPath } from "../../attributes/claim-path.ts";
import { parseSpiffeId } from "../../message/spiffe-id.ts";
import { isTimeZone } from "../../support/local-time.ts";
import { mode, object } from "../../support/schema.ts";
import { subjectSchema } from "../subject-schema.ts";

/** One rule; every key it has must hold. */
export interface AuthorizeRule {
  readonly scopes?: readonly string[] | undefined;
  readonly roles?: RoleRule | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly claims?: Readonly<Record<string, readonly ClaimValue[]>> | undefined;
  readonly callers?: readonly string[] | undefined;
  readonly authenticators?: readonly string[] | undefined;
  readonly spiffeId?: readonly string[] | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  readonly networks?: readonly string[] | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly time?: readonly TimeWindow[] | undefined;
  /** Attribute → the attribute that it has to equal. */
  readonly match?: Readonly<Record<string, string>> | undefined;
  /** A condition in CEL. */
  readonly when?: string | undefined;
  readonly any?: readonly AuthorizeRule[] | undefined;
  readonly all?: readonly AuthorizeRule[] | undefined;
  readonly not?: AuthorizeRule | undefined;
}

export interface AuthorizeSettings extends AuthorizeRule {
  readonly mode?: number | undefined;
}

/** `claim` null: names of the policy's `roles`, or what the caller's claims `roles` and `groups` have. */
export interface RoleRule {
  readonly claim: string | null;
  readonly has: readonly string[];
}

export type ClaimValue = string | number | boolean;

/** Days from Monday, 0; minutes of the day. Where `toMinute` is not later, the window ends on the next day. */
export interface TimeWindow {
  readonly days: ReadonlySet<number>;
  readonly fromMinute: number;
  readonly toMinute: number;
  readonly timeZone: string;
}

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

const EMPTY = "expected at least one; an empty list would ask for nothing";

function someOf<Item extends z.ZodType>(item: Item): z.ZodArray<Item> {
  return z.array(item).min(1, { error: EMPTY });
}

function oneOrSome<Output>(item: z.ZodType<Output>): z.ZodType<readonly Output[]> {
  return z.union([item.transform((one): readonly Output[] => [one]), someOf(item)]);
}

/** RFC 6749 section 3.3; without quote and backslash it fits into a challenge as it is. */
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: "expected a scope: visible ASCII, no spaces" });
const name = (what: string) => z.string().min(1, { error: `expected the name of ${what}` });

const claimPath = z.string().superRefine((text, context) => {
  const parsed = parseClaimPath(text);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.error });
});
const claimValue = z.union([z.string(), z.number(), z.boolean()], { error: "expected a string, number or boolean" });

/** SPIFFE-ID sections 2.1 and 2.2. No dot segments: nothing can be read as another path. */
const spiffeId = z
  .string()
  .refine((text) => !text.startsWith("spiffe://*") && parseSpiffeId(withoutStars(text)) !== null, {
    error:
      "expected a SPIFFE ID, as in spiffe://example.org/ns/shop/sa/billing; * stands for a path segment, /** at the end for all below it",
  });

function withoutStars(pattern: string): string {
  return pattern.replace(/\/\*\*$/, "/x").replace(/\/\*(?=\/|$)/g, "/x");
}

const dnsName = z
  .string()
  .regex(/^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/i, {
    error: "expected a host name; *. at its start may stand for one label, as in *.shop.example.org",
  })
  .transform((text) => text.toLowerCase());

const method = z.string().regex(/^[A-Z][A-Z0-9-]{0,31}$/, { error: "expected a method in upper case, as in GET" });

const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24(?=:00)):([0-5]\d)$/;
const hours = z
  .string()
  .regex(HOURS, { error: "expected two times of the day, as in 08:00-18:00; 22:00-06:00 ends on the next day" })
  .transform((text) => {
    const [, h1 = "0", m1 = "0", h2 = "0", m2 = "0"] = HOURS.exec(text) ?? [];
    return { fromMinute: 60 * Number(h1) + Number(m1), toMinute: 60 * Number(h2) + Number(m2) };
  })
  .refine(({ fromMinute, toMinute }) => fromMinute !== toMinute, {
    error: "expected a window that is not empty; 00:00-24:00 is the whole day",
  });

const timeWindow = object({
  days: someOf(z.enum(WEEKDAYS, { error: `expected one of ${WEEKDAYS.join(", ")}` }))
    .optional()
    .describe("Days of the week, as in [mon, fri]. Every day if absent."),
  hours: hours
    .optional()
    .describe("From when to when, as in 08:00-18:00; one over midnight belongs to the day on which it begins."),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: "expected a time zone of the IANA database, as in Europe/Berlin" })
    .optional()
    .describe("Time zone of the IANA database, as in Europe/Berlin. UTC if absent."),
})
  .refine((window) => window.days !== undefined || window.hours !== undefined, { error: "expected 'days' or 'hours'" })
  .transform(
    ({ days, hours: given, timeZone }): TimeWindow => ({
      days: new Set((days ?? WEEKDAYS).map((day) => WEEKDAYS.indexOf(day))),
      ...(given ?? { fromMinute: 0, toMinute: 24 * 60 }),
      timeZone: timeZone ?? "UTC",
    }),
  );

/** Of the caller. */
const callerShape = {
  scopes: someOf(scope).optional().describe("Scopes of the caller's token or API key; it has to have all of them."),
  roles: z
    .union([
      someOf(name("a role")).transform((has): RoleRule => ({ claim: null, has })),
      object({
        claim: claimPath.describe("Path of the claim that lists roles, as in realm_access.roles."),
        has: someOf(name("a role")).describe("Roles of which the caller has to have all."),
      }),
    ])
    .optional()
    .describe(
      "Roles of which the caller has to have all: those that the policy's 'roles' defines, others as its claims 'roles' and 'groups' have them, or the claim that is named.",
    ),
  groups: someOf(name("a group"))
    .optional()
    .describe("Groups of which the caller has to have all, in its claim 'groups'."),
  claims: z
    .record(
      claimPath,
      z.union([claimValue.transform((value) => [value]), someOf(claimValue)], {
        error: "expected a string, number or boolean, or a list of those that are allowed",
      }),
    )
    .optional()
    .describe("Claims of the token: path → the value, or a list of values of which it has to have one."),
  callers: oneOrSome(name("a caller"))
    .optional()
    .describe("Ids of callers, one of which it has to be: subjects of tokens, names of API keys."),
  authenticators: oneOrSome(name("an authenticator"))
    .optional()
    .describe("Authenticators, one of which has to know the caller."),
};

/** Of the connection and the moment. */
const requestShape = {
  spiffeId: oneOrSome(spiffeId)
    .optional()
    .describe(
      "SPIFFE ID of the client certificate, or a list of those that will do; * is a path segment, /** at the end all below it.",
    ),
  dnsNames: oneOrSome(dnsName)
    .optional()
    .describe("DNS names, one of which the client certificate has to have; *. at the start stands for one label."),
  subjects: oneOrSome(subjectSchema)
    .optional()
    .describe("Subjects, one of which the client certificate has to have, as distinguished names."),
  networks: oneOrSome(z.string())
    .optional()
    .describe("IP prefixes, one of which has to hold the client's address, as in 10.0.0.0/8."),
  methods: someOf(method).optional().describe("Methods, one of which the request has to have."),
  time: oneOrSome(timeWindow)
    .optional()
    .describe("When it may be asked: a window of days and hours, or a list of them."),
};

const ruleShape = {
  ...callerShape,
  ...requestShape,
  match: z
    .record(z.string(), z.string({ error: "expected the name of an attribute, as in jwt.tenant" }))
    .refine((pairs) => Object.keys(pairs).length > 0, { error: EMPTY })
    .optional()
    .describe("Attributes that have to be equal, as in path.tenant: jwt.tenant; a list holds what the other side is."),
  when: z
    .string({ error: "expected a condition, as in 'body.total < 10000'" })
    .optional()
    .describe("A condition in CEL over attributes, as in 'body.total < 10000 || \"large\" in principal.scopes'."),
  get any() {
    return someOf(rule).optional().describe("Rules of which one has to hold.");
  },
  get all() {
    return someOf(rule).optional().describe("Rules of which each has to hold.");
  },
  get not() {
    return rule.optional().describe("A rule that must not hold.");
  },
};

export const ruleSchema: z.ZodType<AuthorizeRule> = z.lazy(() => object(ruleShape));

const rule = ruleSchema;

/** All keys of a rule, for what has keys of its own beside them. */
const ownShape = () => ({
  ...callerShape,
  ...requestShape,
  match: ruleShape.match,
  when: ruleShape.when,
  any: ruleShape.any,
  all: ruleShape.all,
  not: ruleShape.not,
});

/** A rule with further keys. */
export function ruleBeside<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.lazy(() => object({ ...ownShape(), ...shape }));
}

export const authorizeSchema: z.ZodType<AuthorizeSettings> = ruleBeside({ mode: mode.optional() }).describe(
  "What a known caller must have. All keys that are there have to hold.",
);

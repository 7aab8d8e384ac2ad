import * as z from "zod";
import type { LeakGroup } from "../leaks/kind.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { mode, object, ofKind } from "../support/schema.ts";

export type LeakActionWord = "observe" | "mask" | "block";

export interface OwnPatternSettings {
  readonly match: string;
  readonly near?: readonly string[] | undefined;
  readonly action?: LeakActionWord | undefined;
}

export interface LeakSettings {
  readonly mode?: number | undefined;
  readonly allow?: readonly string[] | undefined;
  readonly patterns?: Readonly<Record<string, OwnPatternSettings>> | undefined;
  /** By group or kind. */
  readonly [detector: string]: unknown;
}

const ACTION_EXPECTED = "expected observe, mask or block";
const action = z.enum(["observe", "mask", "block"], { error: ACTION_EXPECTED });

const ownPattern: z.ZodType<OwnPatternSettings> = object({
  match: z
    .string()
    .min(1)
    .describe(
      "A regular expression (ECMA-262, flag u), looked for inside of values: without ^ and $, of bounded length.",
    ),
  near: z
    .array(z.string().min(1))
    .min(1)
    .max(DEFAULTS.leakAllowedMax)
    .optional()
    .describe("Words of which one has to name the field, or stand before it in its line. None has to if absent."),
  action: action.optional().describe("What becomes of it. mask if absent; of requests, block."),
}).describe("A pattern of your own.");

/** What each group has, for the reference. */
export const LEAK_GROUP_TEXTS: Readonly<Record<Exclude<LeakGroup, "patterns">, string>> = {
  privateKeys: "Private keys: PEM, OpenSSH, OpenPGP, PuTTY, JSON Web Keys.",
  cloudKeys: "Keys of AWS, Google Cloud, Azure and others.",
  vendorKeys: "Keys and tokens of GitHub, GitLab, Slack, Stripe and others.",
  tokens: "JSON Web Tokens and PASETO.",
  iban: "Bank account numbers.",
  nationalNumbers: "Numbers by which countries know a person.",
  cards: "Payment cards.",
  emails: "E-mail addresses.",
  phones: "Phone numbers in international form.",
  connectionStrings: "Addresses and connection strings with a password.",
  stackTraces: "Stack traces of Java, .NET, Python, Node.js, PHP, Ruby, Go, Rust and others, and names of exceptions.",
  sqlErrors: "Errors of databases.",
  frameworkPages: "Error and debug pages of frameworks and servers.",
  passwords: "Passwords in fields of that name, and credentials of HTTP Basic.",
  entropy: "Random text under a name for a secret.",
};

const groups = Object.fromEntries(
  Object.entries(LEAK_GROUP_TEXTS).map(([group, text]) => [group, action.optional().describe(text)]),
);

/** `leaks` of answers and of requests: what is looked for, by group or kind, and what becomes of it. */
export const leakSchema: z.ZodType<LeakSettings> = z
  .object(
    {
      mode: mode.optional(),
      allow: z
        .array(z.string().min(1))
        .max(DEFAULTS.leakAllowedMax)
        .optional()
        .describe(
          "Fields that may have such values: $.user.email, $..iban, /items/0/id; names of headers, columns and parameters.",
        ),
      patterns: z
        .record(
          z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, { error: "expected a name, as in employeeId" }),
          ownPattern,
        )
        .optional()
        .describe("Patterns of your own, by name."),
      ...groups,
    },
    { error: ofKind("expected groups or kinds and actions, as in { cards: mask, privateKeys: block }") },
  )
  .catchall(action)
  .describe(
    "Values that must not be seen: groups of detectors, or single ones of docs/leaks.md, each observe, mask or block.",
  );

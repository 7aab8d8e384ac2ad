import type { Document } from "yaml";
import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { type CallerFacts, callerShape, validityShape } from "../caller-schema.ts";
import { type NamedAt, noteNames } from "../named-limits.ts";
import { listUnder, readSecretFile, type SecretFileProblem, SecretFileReport } from "../secret-file.ts";
import { findFaults, type KnownKeys, type Path } from "../secret-file-faults.ts";
import { PASSWORD_HASH_EXPECTED, type PasswordHash, parsePasswordHash } from "./password-hash.ts";

const NAME_EXPECTED = "expected a name of 1 to 128 visible ASCII characters, without a colon";

const userSchema = z.strictObject(
  {
    ...callerShape,
    /** RFC 7617 section 2: the first colon ends it. */
    name: z.string({ error: NAME_EXPECTED }).regex(/^[\x21-\x39\x3b-\x7e]{1,128}$/, { error: NAME_EXPECTED }),
    passwordHash: z.string({ error: PASSWORD_HASH_EXPECTED }).transform((text, context) => {
      const hash = parsePasswordHash(text);
      if (hash !== null) return hash;
      context.addIssue({ code: "custom", message: PASSWORD_HASH_EXPECTED });
      return z.NEVER;
    }),
    ...validityShape,
  },
  { error: "expected a mapping with the name and passwordHash of a user" },
);

const usersFileSchema = z.strictObject(
  { users: z.array(z.unknown(), { error: "expected a list of users, each with name and passwordHash" }) },
  { error: "expected a mapping with 'users'" },
);

const KNOWN_KEYS: KnownKeys = new Map([
  [0, Object.keys(usersFileSchema.shape)],
  [2, Object.keys(userSchema.shape)],
]);

/** One user of a users file. */
export interface User extends CallerFacts {
  readonly passwordHash: PasswordHash;
  readonly notBefore?: number | undefined;
  readonly notAfter?: number | undefined;
}

export interface ReadUsers {
  readonly users: readonly User[];
  readonly problems: readonly SecretFileProblem[];
  /** Limits of the policy that the file names, each with where it does first. */
  readonly limits: readonly NamedAt[];
}

/** Text of a users file → users; with any problem none of them may be used. No value of the file is repeated. */
export function* readUsersFile(text: string): Steps<ReadUsers> {
  const report = new SecretFileReport(text);
  const { problems } = report;
  const file = yield* readSecretFile(text, report);
  if (file === null) return { users: [], problems, limits: [] };
  const { root, document } = file;
  check(usersFileSchema, root, [], document, report);
  const users = new Map<string, User>();
  const limits = new Map<string, NamedAt>();
  for (const [at, value] of listUnder(root, "users").entries()) {
    const path = ["users", at];
    const user = check(userSchema, value, path, document, report);
    if (user !== undefined) {
      if (users.has(user.name))
        report.fault(document, { path: [...path, "name"], text: "an earlier user has this name" });
      users.set(user.name, user);
      noteNames(user, limits, (key) => report.placeOf(document, [...path, key]));
    }
    if (report.isFull) break;
    yield;
  }
  if (users.size > DEFAULTS.usersMax) {
    report.fault(document, { path: ["users"], text: `more than ${DEFAULTS.usersMax} users` });
  }
  return { users: problems.length === 0 ? [...users.values()] : [], problems, limits: [...limits.values()] };
}

function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: Path,
  document: Document.Parsed,
  report: SecretFileReport,
): T | undefined {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const issues = error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
  for (const fault of findFaults(issues, document, KNOWN_KEYS)) report.fault(document, fault);
  return undefined;
}

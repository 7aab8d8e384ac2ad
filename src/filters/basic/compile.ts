import { randomBytes } from "node:crypto";
import { dirname, isAbsolute, join } from "node:path";
import { RateTable } from "../../limits/rate/rate-table.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { decodeText } from "../../support/text.ts";
import type { Steps } from "../../support/turns.ts";
import { callerPrincipal } from "../caller-principal.ts";
import { type CompileContext, defineAuthenticator } from "../filter.ts";
import { BasicAuthenticator } from "./evaluate.ts";
import { Guesses } from "./guesses.ts";
import { ARGON2_USUAL, type PasswordHash } from "./password-hash.ts";
import { type BasicSettings, basicSchema } from "./schema.ts";
import type { UserEntry, UserTable } from "./user-table.ts";
import { readUsersFile, type User } from "./users-file.ts";
import { VerificationLine } from "./verification-line.ts";

export const basicKind = defineAuthenticator<BasicSettings>({
  type: "basic",
  schema: basicSchema,
  *compile(name, { users: file }, context) {
    const bytes = context.readFile(file, "users");
    if (bytes === null) return null;
    const table = yield* context.keep("basic", [name, bytes], () => readTable(name, file, bytes, context));
    const line = yield* context.keep("basic line", [], () => newLine(context));
    const guesses = yield* context.keep("basic guesses", [name], () => newGuesses(context));
    if (table === null || line === null || guesses === null) return null;
    const { service, clock } = context;
    return new BasicAuthenticator({ name, service, clock, place: context.place(), table, line, guesses });
  },
});

/** One for all authenticators, for they share the machine. */
function* newLine({ clock }: CompileContext): Steps<VerificationLine> {
  yield;
  const { passwordsVerifiedMax, passwordsWaitingMax, passwordsWaitingPerAddressMax, passwordWaitMsMax } = DEFAULTS;
  return new VerificationLine(
    {
      runningMax: passwordsVerifiedMax,
      waitingMax: passwordsWaitingMax,
      clientWaitingMax: passwordsWaitingPerAddressMax,
      waitMsMax: passwordWaitMsMax,
    },
    clock,
  );
}

function* newGuesses({ clock }: CompileContext): Steps<Guesses> {
  yield;
  const seed = randomBytes(8);
  const table = new RateTable(DEFAULTS.passwordFailureKeys, [seed.readUInt32LE(0), seed.readUInt32LE(4)], clock);
  return new Guesses(table, DEFAULTS.passwordAddressFailures, DEFAULTS.passwordUserFailures);
}

/** The users of the file; null with its problems reported. */
function* readTable(name: string, users: string, bytes: Buffer, context: CompileContext): Steps<UserTable | null> {
  const text = decodeText(bytes);
  if (!text.ok) {
    context.problem(`'${users}': ${text.error}`, "users");
    return null;
  }
  const read = yield* readUsersFile(text.value);
  const file = isAbsolute(users) ? users : join(dirname(context.place().file), users);
  if (read.problems.length > 0) {
    for (const { text: fault, ...where } of read.problems) context.problemAt({ file, ...where }, fault);
    return null;
  }
  const [first] = read.users;
  return {
    users: new Map(read.users.map((user) => [user.name, toEntry(name, user)])),
    nobody: nobodyLike(first?.passwordHash),
    scopes: new Set(read.users.flatMap(({ scopes = [] }) => scopes)),
    limits: read.limits.map(({ text: named, ...where }) => ({ file, ...where, name: named })),
    secret: randomBytes(32),
  };
}

function toEntry(authenticator: string, user: User): UserEntry {
  const notAfterMs = user.notAfter ?? Number.POSITIVE_INFINITY;
  return {
    principal: callerPrincipal(authenticator, "basic", user, notAfterMs),
    hash: user.passwordHash,
    notBeforeMs: user.notBefore ?? Number.NEGATIVE_INFINITY,
    notAfterMs,
    right: null,
  };
}

/** Costs what the file's users cost; that a password fits it is as likely as that one is guessed in 256 bits. */
function nobodyLike(hash: PasswordHash | undefined): PasswordHash {
  const salt = randomBytes(16);
  const tag = randomBytes(32);
  return hash === undefined ? { kind: "argon2id", ...ARGON2_USUAL, salt, tag } : { ...hash, salt, tag };
}

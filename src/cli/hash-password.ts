import { randomBytes } from "node:crypto";
import { passwordBytes } from "../filters/basic/credentials.ts";
import { ARGON2_USUAL, passwordHashText, tagOf } from "../filters/basic/password-hash.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { decodeText } from "../support/text.ts";
import { type Command, EXIT, JSON_OPTION, misuse, parseOptions } from "./command.ts";

/** Where a password and its salt come from; tests bring their own. */
export interface PasswordSources {
  /** Standard input, in pieces. */
  input(): AsyncIterable<Buffer>;
  random(bytes: number): Buffer;
}

export function createHashPasswordCommand(sources: PasswordSources): Command {
  const command: Command = {
    name: "hash-password",
    summary: "Turns a password into the line that a users file holds in its place.",
    usage: "[--json] < FILE",
    options: JSON_OPTION,
    example:
      "postern hash-password < password.txt\n# prints an argon2id hash, for passwordHash in users.yaml\nExit code 0: printed. 1: there is no password on standard input, or one of no use. 2: used wrongly.",
    run: async (args, io) => {
      const parsed = parseOptions(args, JSON_OPTION);
      // The error would repeat the argument, which may be a password.
      if (!parsed.ok) return misuse(command, "unknown option; expected --json", io);
      if (parsed.value.positionals.length > 0) {
        return misuse(command, "the password is read from standard input: arguments stand in process lists", io);
      }
      const password = await readPassword(sources.input());
      if (!password.ok) {
        io.stderr(`postern hash-password: ${password.error}\n`);
        return EXIT.problems;
      }
      if (password.value.length < DEFAULTS.passwordBytesAdvised) {
        io.stderr(
          `postern hash-password: warning: a password of less than ${DEFAULTS.passwordBytesAdvised} characters is guessed soon\n`,
        );
      }
      const salt = sources.random(16);
      const wanted = { kind: "argon2id", ...ARGON2_USUAL, salt, tag: Buffer.alloc(32) } as const;
      const text = passwordHashText({ ...wanted, tag: await tagOf(wanted, password.value) });
      io.stdout(
        parsed.value.values.json === true ? `${JSON.stringify({ passwordHash: text })}\n` : `passwordHash: "${text}"\n`,
      );
      return EXIT.fine;
    },
  };
  return command;
}

export const hashPasswordCommand: Command = createHashPasswordCommand({
  input: () => process.stdin,
  random: randomBytes,
});

/** One line of UTF-8, as a client would send it. */
async function readPassword(input: AsyncIterable<Buffer>): Promise<Result<Buffer, string>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > PASSWORD_BYTES_MAX) return err(`the password is longer than ${PASSWORD_BYTES_MAX} bytes`);
  }
  const text = decodeText(Buffer.concat(chunks));
  if (!text.ok) return err(`the password is ${text.error}`);
  const password = text.value.replace(/\r?\n$/, "");
  if (password === "") return err("no password on standard input");
  if (/[\u0000-\u001f\u007f-\u009f]/.test(password)) return err("the password holds line breaks or control characters");
  return ok(passwordBytes(password));
}

const PASSWORD_BYTES_MAX = 512;

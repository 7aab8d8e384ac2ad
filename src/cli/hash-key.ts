import { hash, randomBytes } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";

/** Where a key comes from; tests bring their own. */
export interface KeySources {
  /** Standard input, in pieces. */
  input(): AsyncIterable<Buffer>;
  random(bytes: number): Buffer;
}

const GENERATED_BYTES = 32;
/** Lets secret scanners and people recognize a key that strayed. */
const GENERATED_PREFIX = "pk_";

const OPTIONS = {
  generate: { type: "boolean", text: "makes a new key and prints it, once" },
  ...JSON_OPTION,
} as const satisfies Options;

export function createHashKeyCommand(sources: KeySources): Command {
  const command: Command = {
    name: "hash-key",
    summary: "Turns an API key into the line that a keys file holds in its place.",
    usage: "[--json] < FILE\n--generate [--json]",
    options: OPTIONS,
    example:
      "postern hash-key --generate\n# makes a new key and prints it once, with its line for keys.yaml\nExit code 0: printed. 1: there is no key on standard input, or one of no use. 2: used wrongly.",
    run: async (args, io) => {
      const parsed = parseOptions(args, OPTIONS);
      // The error would repeat the argument, which may be a key.
      if (!parsed.ok) return misuse(command, "unknown option; expected --generate or --json", io);
      const { values, positionals } = parsed.value;
      if (positionals.length > 0) {
        return misuse(command, "the key is read from standard input: arguments stand in process lists", io);
      }
      const key = values.generate ? ok(generateKey(sources)) : await readKey(sources.input());
      if (!key.ok) {
        io.stderr(`postern hash-key: ${key.error}\n`);
        return EXIT.problems;
      }
      if (key.value.length < DEFAULTS.apiKeyBytesAdvised) warnShort(io);
      io.stdout(
        values.json ? jsonText(key.value, values.generate === true) : text(key.value, values.generate === true),
      );
      return EXIT.fine;
    },
  };
  return command;
}

export const hashKeyCommand: Command = createHashKeyCommand({ input: () => process.stdin, random: randomBytes });

function generateKey(sources: KeySources): string {
  return `${GENERATED_PREFIX}${sources.random(GENERATED_BYTES).toString("base64url")}`;
}

/** Only what a header can carry unchanged is a key: surrounding blanks would be lost on the way, other letters recoded. */
async function readKey(input: AsyncIterable<Buffer>): Promise<Result<string, string>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > DEFAULTS.apiKeyBytesMax + "\r\n".length) break;
  }
  const key = Buffer.concat(chunks)
    .toString("latin1")
    .replace(/\r?\n$/, "");
  if (key === "") return err("no key on standard input");
  if (key.length > DEFAULTS.apiKeyBytesMax) return err(`the key is longer than ${DEFAULTS.apiKeyBytesMax} bytes`);
  if (!/^[\x21-\x7e]+$/.test(key)) return err("the key holds blanks, line breaks or letters beyond ASCII");
  return ok(key);
}

function warnShort(io: CommandIo): void {
  io.stderr(
    `postern hash-key: warning: a key of less than ${DEFAULTS.apiKeyBytesAdvised} characters can be guessed from ` +
      "its hash; --generate makes a strong one\n",
  );
}

function text(key: string, generated: boolean): string {
  const line = `- { sha256: "${hash("sha256", key)}" }\n`;
  return generated ? `# the key, for the caller; it is kept nowhere\n${key}\n# for keys.yaml\n${line}` : line;
}

function jsonText(key: string, generated: boolean): string {
  const sha256 = hash("sha256", key);
  return `${JSON.stringify(generated ? { key, sha256 } : { sha256 })}\n`;
}

import { lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { shellWord } from "../support/shell-word.ts";
import { type Command, type CommandIo, EXIT, misuse, type Options, parseOptions } from "./command.ts";
import { CERTIFICATE_DAYS, FILES, FIRST_CALLER, firstFiles, type NewFile } from "./first-files.ts";
import { initClient, initToken, type WantedToken } from "./init-more.ts";
import { typedCommand, typedName } from "./typed-name.ts";

const OPTIONS = {
  subject: { type: "string", value: "NAME", text: `of 'token': its sub; ${FIRST_CALLER} if absent` },
  scope: { type: "string", value: "'A B'", text: "of 'token': its scopes" },
  json: { type: "boolean", default: false, text: "for machines: the files, the key, the token" },
} as const satisfies Options;

export const initCommand: Command = {
  name: "init",
  summary: "Writes a development CA, certificates, an API key's hash and a first policy; then more callers.",
  usage: "[--json] [DIR]\nclient [--json] NAME [DIR]\ntoken [--subject NAME] [--scope 'A B'] [--json] [DIR]",
  words: ["client", "token"],
  options: OPTIONS,
  notes: `client NAME        a further client certificate, in DIR/clients/NAME
token              prints a token that the policy's authenticator 'development' takes, for a day`,
  example: `postern init gate     a first policy in gate/policy.yaml, with all the files it names
curl … -H "Authorization: Bearer $(postern init token --scope orders:read gate)"
Exit code 0: written. 1: something stands in the way. 2: used wrongly.`,
  run: init,
};

async function init(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parseOptions(args, OPTIONS);
  if (!parsed.ok) return misuse(initCommand, parsed.error, io);
  const { values, positionals } = parsed.value;
  const [what, ...rest] = positionals;
  const { json, ...wanted } = values;
  if (what === "token") return token(rest, wanted, json, io);
  if (Object.keys(wanted).length > 0) return misuse(initCommand, "--subject and --scope are those of 'token'", io);
  if (what === "client") return client(rest, json, io);
  if (rest.length > 0) return misuse(initCommand, "expected at most one folder, or 'client' or 'token'", io);
  return first(what ?? ".", json, io);
}

function token([folder = ".", ...more]: readonly string[], wanted: WantedToken, json: boolean, io: CommandIo): number {
  if (more.length > 0) return misuse(initCommand, "expected at most one folder", io);
  const made = initToken(resolve(io.cwd, folder), wanted, io.clock.wallMs());
  if (!made.ok) return fail(made.error, io);
  return json ? sayJson({ token: made.value }, io) : say(`${made.value}\n`, io);
}

async function client([name, folder = ".", ...more]: readonly string[], json: boolean, io: CommandIo): Promise<number> {
  if (name === undefined || more.length > 0) {
    return misuse(initCommand, "expected the name of one client, then at most a folder", io);
  }
  const top = resolve(io.cwd, folder);
  const made = await initClient(top, name, io.clock.wallMs());
  const problem = made.ok ? writeNew(top, made.value) : made.error;
  if (!made.ok || problem !== null) return fail(problem ?? "", io);
  return json ? sayJson({ files: pathsOf(top, made.value) }, io) : say(listOf(typedName(io.cwd, top), made.value), io);
}

async function first(name: string, json: boolean, io: CommandIo): Promise<number> {
  const folder = resolve(io.cwd, name);
  const { files, apiKey } = await firstFiles(io.clock.wallMs());
  const problem = writeNew(folder, files);
  if (problem !== null) return fail(problem, io);
  if (json) return sayJson({ files: pathsOf(folder, files), apiKey }, io);
  return say(nextSteps(typedName(io.cwd, folder), files, apiKey), io);
}

function say(text: string, io: CommandIo): number {
  io.stdout(text);
  return EXIT.fine;
}

function sayJson(what: unknown, io: CommandIo): number {
  return say(`${JSON.stringify(what, null, 2)}\n`, io);
}

function pathsOf(folder: string, files: readonly NewFile[]): readonly string[] {
  return files.map(({ name }) => join(folder, name));
}

function fail(text: string, io: CommandIo): number {
  io.stderr(`postern init: ${text}\n`);
  return EXIT.problems;
}

/** Also true of a link that leads nowhere. */
function exists(name: string): boolean {
  return lstatSync(name, { throwIfNoEntry: false }) !== undefined;
}

/** Writes all files or, where one of them exists, none; gives what went wrong. */
function writeNew(folder: string, files: readonly NewFile[]): string | null {
  try {
    const existing = files.map((file) => join(folder, file.name)).find(exists);
    if (existing !== undefined) return `${existing} exists already; nothing was written`;
    for (const { name, content, secret } of files) {
      const file = join(folder, name);
      mkdirSync(dirname(file), { recursive: true });
      // wx refuses a file, or a link, that came into being since the look above.
      writeFileSync(file, content, { flag: "wx", mode: secret ? 0o600 : 0o644 });
    }
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function listOf(folder: string, files: readonly NewFile[]): string {
  return `Written:\n${files.map((file) => `  ${join(folder, file.name)}\n`).join("")}`;
}

function nextSteps(folder: string, files: readonly NewFile[], apiKey: string): string {
  const at = (name: string) => shellWord(join(folder, name));
  const curl = `curl --cacert ${at(FILES.ca)}`;
  const url = "https://localhost:8443/v1/";
  const client = `clients/${FIRST_CALLER}`;
  const postern = typedCommand(process.env);
  return `${listOf(folder, files)}
Next:
  1. Start your service on 127.0.0.1:3000, or set its address under 'upstreams'.
  2. ${postern} run --policy ${at("policy.yaml")}
  3. ${curl} -H 'X-Api-Key: ${apiKey}' ${url}
     ${curl} --cert ${at(`${client}/tls.crt`)} --key ${at(`${client}/tls.key`)} ${url}
     ${curl} -H "Authorization: Bearer $(${postern} init token ${shellWord(folder)})" ${url}
  4. ${postern} init client NAME ${shellWord(folder)}     makes a certificate for another caller

The API key above is shown this once; keys.yaml holds its hash. The certificates are for development: they end after
${CERTIFICATE_DAYS} days, and whoever has the keys in ${join(folder, "development")} can be any caller.
`;
}

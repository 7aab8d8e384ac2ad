import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { readRegularFile } from "../daemon/regular-file.ts";
import { describeExchange, type RequestDescription } from "../rehearsal/described-request.ts";
import { explain } from "../rehearsal/explain.ts";
import { explanationText } from "../rehearsal/explanation.ts";
import { IDENTITY_FORM, type SupposedCaller, supposedCaller } from "../rehearsal/supposed-caller.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Command, type CommandIo, EXIT, misuse, parseOptions } from "./command.ts";
import { loadPolicy } from "./load-policy.ts";

const OPTIONS = {
  policy: { type: "string", short: "p" },
  header: { type: "string", short: "H", multiple: true },
  token: { type: "string" },
  as: { type: "string" },
  online: { type: "boolean" },
  client: { type: "string" },
  certificate: { type: "string" },
  body: { type: "string" },
  listener: { type: "string" },
  json: { type: "boolean" },
} as const;

export const explainCommand: Command = {
  name: "explain",
  summary: "Tells why a request is allowed or denied: every phase, every check, its line in the policy, what it saw.",
  usage: "--policy FILE [OPTION]... 'METHOD TARGET'",
  options: `-H, --header 'NAME: VALUE'   a header of the request; may be repeated
    --token TOKEN            the same as -H 'Authorization: Bearer TOKEN'
    --as IDENTITY            suppose a caller: '{ jwt: { CLAIMS } }', '{ jwt: TOKEN }' as if its signature were good,
                             '{ api-key: NAME }' or '{ api-key: KEY }', '{ basic: USER }', '{ signature: CALLER }',
                             '{ certificate: FILE }' as --certificate
    --client ADDRESS         the client's IP address; 127.0.0.1 if not given
    --certificate FILE       the client's certificate, PEM, with its intermediates
    --body FILE              the request's body
    --listener NAME          the listener it comes to; the first if not given
    --online                 ask identity providers and decision services, as postern would; else nobody is asked
    --json                   for machines`,
  example: `postern explain --policy policy.yaml --as '{ jwt: { scope: "orders:read" } }' 'GET /v1/orders/1'
Exit code 0: allowed. 1: denied, or the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(explainCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const [request, ...rest] = positionals;
    if (values.policy === undefined) return misuse(explainCommand, "--policy FILE is missing", io);
    if (request === undefined || rest.length > 0) {
      return misuse(explainCommand, "expected one request in quotes, as in 'GET /v1/orders/1'", io);
    }
    const headers = values.token === undefined ? [] : [`Authorization: Bearer ${values.token}`];
    const as = await readIdentity(values.as ?? null);
    if (!as.ok) return misuse(explainCommand, as.error, io);
    const { assumed, certificate } = as.value;
    const files = readFiles(values.certificate ?? certificate, values.body, io);
    if (!files.ok) return misuse(explainCommand, files.error, io);
    const isOnline = values.online === true;
    const snapshot = await loadPolicy(values.policy, io, isOnline);
    if (snapshot === null) return EXIT.problems;
    const listener = snapshot.listeners.find(({ name }) => values.listener === undefined || name === values.listener);
    if (listener === undefined) return misuse(explainCommand, `no listener '${values.listener}' in the policy`, io);
    const description: RequestDescription = {
      request,
      headers: [...headers, ...(values.header ?? [])],
      client: values.client ?? "127.0.0.1",
      as: assumed,
      ...files.value,
    };
    const exchange = await describeExchange(description, listener, snapshot.keepsInPaths, io.clock.wallMs());
    if (!exchange.ok) {
      io.stderr(`postern explain: ${exchange.error.text}\n`);
      return exchange.error.reason === null ? EXIT.misuse : EXIT.problems;
    }
    const told = await explain(snapshot, listener, exchange.value, isOnline);
    io.stdout(values.json === true ? `${JSON.stringify(told)}\n` : explanationText(told));
    return told.verdict.allowed ? EXIT.fine : EXIT.problems;
  },
};

/** What `--as` says, one entry in YAML; nobody where it is not given. */
async function readIdentity(text: string | null): Promise<Result<SupposedCaller, string>> {
  if (text === null) return ok({ assumed: null, certificate: undefined });
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 0 });
  } catch {
    return err(`--as: ${IDENTITY_FORM}`);
  }
  const caller = await supposedCaller(value);
  return caller.ok ? caller : err(`--as: ${caller.error}`);
}

type Files = Pick<RequestDescription, "certificate" | "body">;

function readFiles(certificate: string | undefined, body: string | undefined, io: CommandIo): Result<Files, string> {
  const read = (name: string | undefined): Result<Buffer | null, string> => {
    if (name === undefined) return ok(null);
    const file = readRegularFile(resolve(io.cwd, name), DEFAULTS.policyBytesMax);
    return file.ok ? file : err(`${name} ${file.error}`);
  };
  const certificateFile = read(certificate);
  if (!certificateFile.ok) return certificateFile;
  const bodyFile = read(body);
  if (!bodyFile.ok) return bodyFile;
  return ok({ certificate: certificateFile.value, body: bodyFile.value });
}

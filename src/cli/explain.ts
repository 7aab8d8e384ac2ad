import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { readRegularFile } from "../daemon/regular-file.ts";
import { describeExchange, type RequestDescription } from "../rehearsal/described-request.ts";
import { explain } from "../rehearsal/explain.ts";
import { explanationText, showing } from "../rehearsal/explanation.ts";
import { IDENTITY_FORM, type SupposedCaller, supposedCaller } from "../rehearsal/supposed-caller.ts";
import { SUPPOSED_FORM } from "../rehearsal/supposed-certificate.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { INSTANT_EXPECTED, instantMs } from "../support/instant.ts";
import { painter } from "../support/paint.ts";
import { err, ok, type Result } from "../support/result.ts";
import { parseDurationMs } from "../support/units.ts";
import { type Command, type CommandIo, EXIT, JSON_OPTION, misuse, type Options, parseOptions } from "./command.ts";
import { DECISION_ID, explainLive, type LiveOptions, type LiveQuestion } from "./explain-live.ts";
import { loadPolicy } from "./load-policy.ts";
import { CONFIGMAP_OPTION } from "./policy-reader.ts";

const OPTIONS = {
  policy: { type: "string", short: "p", value: "FILE", text: "the policy, or the one that runs" },
  header: {
    type: "string",
    short: "H",
    multiple: true,
    value: "'NAME: VALUE'",
    text: "a header of the request; may be repeated",
  },
  token: { type: "string", value: "TOKEN", text: "the same as -H 'Authorization: Bearer TOKEN'" },
  as: {
    type: "string",
    value: "IDENTITY",
    text:
      "suppose a caller: '{ jwt: { CLAIMS } }', '{ jwt: TOKEN }' as if its signature were good,\n" +
      "'{ api-key: NAME }' or '{ api-key: KEY }', '{ basic: USER }', '{ signature: CALLER }',\n" +
      "'{ certificate: FILE }' as --certificate",
  },
  client: { type: "string", value: "ADDRESS", text: "the client's IP address; 127.0.0.1 if not given" },
  certificate: {
    type: "string",
    value: "FILE",
    text:
      "the client's certificate, PEM, with its intermediates; or '{ subject: NAME, spiffeId: ID }':\n" +
      "suppose one that is trusted",
  },
  at: { type: "string", value: "TIME", text: "suppose a time, as in 2027-01-01T12:00:00Z" },
  body: { type: "string", value: "FILE", text: "the request's body; @FILE is the same, and - is standard input" },
  listener: { type: "string", value: "NAME", text: "the listener it comes to; the first if not given" },
  online: {
    type: "boolean",
    text: "ask identity providers and decision services, as postern would; else nobody is asked",
  },
  ...CONFIGMAP_OPTION,
  next: {
    type: "string",
    value: "CONDITION",
    text:
      "of a running postern: trace the next request that meets it, in CEL, as in\n" +
      `'request.path.startsWith("/orders") && jwt.sub == "42"'; needs the admin token`,
  },
  watch: { type: "boolean", text: "of a running postern: denials as they come" },
  for: {
    type: "string",
    value: "TIME",
    text: "how long --next waits, at most 60s; how long --watch goes on, without end if not given",
  },
  address: {
    type: "string",
    value: "HOST:PORT",
    text: "the admin port of what runs, where the policy is not at hand",
  },
  "token-file": { type: "string", value: "FILE", text: "the admin token, likewise" },
  ...JSON_OPTION,
} as const satisfies Options;

export const explainCommand: Command = {
  name: "explain",
  summary: "Tells why a request is allowed or denied: every phase, every check, its line in the policy, what it saw.",
  usage: `--policy FILE [OPTION]... 'METHOD TARGET'
(--policy FILE | --address HOST:PORT) [OPTION]... (ID | --next CONDITION | --watch)`,
  options: OPTIONS,
  example: `postern explain --policy policy.yaml --as '{ jwt: { scope: "orders:read" } }' 'GET /v1/orders/1'
postern explain --policy policy.yaml https://api.example.org/v1/orders/1?expand=items
postern explain --policy policy.yaml uV3kq0Zt-1x   (a decision of the postern that runs, by its id)
Exit code 0: allowed. 1: denied, or the policy has problems. 2: used wrongly.`,

  async run(args, io) {
    const parsed = parseOptions(args, OPTIONS);
    if (!parsed.ok) return misuse(explainCommand, parsed.error, io);
    const { values, positionals } = parsed.value;
    const live = liveQuestion(values, positionals);
    if (live !== null) {
      const options = liveOptions(values);
      return options.ok
        ? explainLive(explainCommand, live, options.value, io)
        : misuse(explainCommand, options.error, io);
    }
    const [text, ...rest] = positionals;
    const pasted = text === undefined ? null : pastedUrl(text);
    const request = pasted === null ? text?.replace(/ HTTP\/[\d.]+$/, "") : pasted.request;
    if (request !== undefined && rest.length === 0 && !/^(?:\S+ \S+|\S*[/*]\S*)$/.test(request)) {
      return misuse(
        explainCommand,
        `'${text}' is no request, as in 'GET /v1/orders/1', and no id, as in AbCd0123-4`,
        io,
      );
    }
    if (values.policy === undefined) return misuse(explainCommand, "--policy FILE is missing", io);
    if (request === undefined || rest.length > 0) {
      return misuse(explainCommand, "expected one request in quotes, as in 'GET /v1/orders/1'", io);
    }
    const headers = values.token === undefined ? [] : [`Authorization: Bearer ${values.token}`];
    if (pasted !== null) headers.unshift(`Host: ${pasted.host}`);
    const as = await readIdentity(values.as ?? null);
    if (!as.ok) return misuse(explainCommand, as.error, io);
    const { assumed, certificate } = as.value;
    const shown = await readCertificate(values.certificate);
    if (!shown.ok) return misuse(explainCommand, shown.error, io);
    const files = readFiles(shown.value ?? certificate, values.body, io);
    if (!files.ok) return misuse(explainCommand, files.error, io);
    const atMs = values.at === undefined ? null : instantMs(values.at);
    if (values.at !== undefined && atMs === null) return misuse(explainCommand, `--at: ${INSTANT_EXPECTED}`, io);
    const isOnline = values.online === true;
    const clock = new SupposedClock(io.clock);
    const loaded = await loadPolicy(values.policy, { ...io, clock }, isOnline, values.configmap);
    if (loaded === null) return EXIT.problems;
    const { snapshot, concealed } = loaded;
    const listener = snapshot.listeners.find(({ name }) => values.listener === undefined || name === values.listener);
    if (listener === undefined) return misuse(explainCommand, `no listener '${values.listener}' in the policy`, io);
    const description: RequestDescription = {
      request,
      headers: [...headers, ...(values.header ?? [])],
      client: values.client ?? "127.0.0.1",
      as: assumed,
      ...files.value,
    };
    clock.atMs = atMs;
    const exchange = await describeExchange(description, listener, snapshot.keepsInPaths, clock.wallMs());
    if (!exchange.ok) {
      io.stderr(`postern explain: ${exchange.error.text}\n`);
      return exchange.error.reason === null ? EXIT.misuse : EXIT.problems;
    }
    const found = await explain(snapshot, listener, exchange.value, isOnline);
    const told = showing(found, (text) => concealed.in(text));
    io.stdout(values.json === true ? `${JSON.stringify(told)}\n` : explanationText(told, painter(io.colour === true)));
    return told.verdict.allowed ? EXIT.fine : EXIT.problems;
  },
};

type Values = Readonly<Record<string, unknown>>;

/** Null where a request is described. */
function liveQuestion(values: Values, [first, ...rest]: readonly string[]): LiveQuestion | null {
  const { next, watch } = values;
  if (typeof next === "string" && first === undefined) return { kind: "next", condition: next };
  if (watch === true && first === undefined) return { kind: "watch" };
  const isId = first !== undefined && rest.length === 0 && DECISION_ID.test(first);
  return isId && next === undefined && watch === undefined ? { kind: "decision", id: first } : null;
}

function liveOptions(values: Values): Result<LiveOptions, string> {
  const { policy, address, for: time, json } = values;
  const forMs = typeof time === "string" ? parseDurationMs(time) : ok(Number.POSITIVE_INFINITY);
  if (!forMs.ok) return err(`--for: ${forMs.error}`);
  const tokenFile = values["token-file"];
  return ok({
    policy: typeof policy === "string" ? policy : undefined,
    address: typeof address === "string" ? address : undefined,
    "token-file": typeof tokenFile === "string" ? tokenFile : undefined,
    json: json === true,
    forMs: forMs.value,
  });
}

/** `https://host/path?x`, as it is copied out of a browser or a log, with or without a method; null for any other. */
function pastedUrl(text: string): { readonly request: string; readonly host: string } | null {
  const [, method = "GET", host = "", target = ""] = PASTED.exec(text) ?? [];
  if (host === "") return null;
  return { request: `${method} ${target.startsWith("/") ? target : `/${target}`}`, host };
}

const PASTED = /^(?:curl +)?(?:([A-Z]+) +)?https?:\/\/(?:[^/?#@]*@)?([^/?#]+)([^#]*)/i;

function readStandardInput(io: CommandIo): Result<Buffer, string> {
  if (io.stdin === undefined) return err("there is no standard input");
  const bytes = io.stdin();
  return bytes.length <= DEFAULTS.policyBytesMax
    ? ok(bytes)
    : err(`standard input has more than ${DEFAULTS.policyBytesMax} bytes`);
}

/** What `--as` says, one entry in YAML; nobody where it is not given. */
export async function readIdentity(text: string | null): Promise<Result<SupposedCaller, string>> {
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

/** The policy is read as it is now; the request comes when it is supposed to. */
class SupposedClock implements Clock {
  atMs: number | null = null;
  readonly #real: Clock;

  constructor(real: Clock) {
    this.#real = real;
  }

  monotonicMs(): number {
    return this.#real.monotonicMs();
  }

  wallMs(): number {
    return this.atMs ?? this.#real.wallMs();
  }
}

/** `--certificate`: the name of a file, or what a certificate says, in YAML. */
async function readCertificate(text: string | undefined): Promise<Result<SupposedCaller["certificate"], string>> {
  if (text === undefined || !text.startsWith("{")) return ok(text);
  const caller = await readIdentity(`{ certificate: ${text} }`);
  return caller.ok ? ok(caller.value.certificate) : err(`--certificate: ${SUPPOSED_FORM}`);
}

type Files = Pick<RequestDescription, "certificate" | "body">;

function readFiles(
  certificate: SupposedCaller["certificate"],
  body: string | undefined,
  io: CommandIo,
): Result<Files, string> {
  const read = (name: string | undefined): Result<Buffer | null, string> => {
    if (name === undefined) return ok(null);
    const file = readRegularFile(resolve(io.cwd, name), DEFAULTS.policyBytesMax);
    return file.ok ? file : err(`${name} ${file.error}`);
  };
  const certificateFile = typeof certificate === "object" ? ok(certificate) : read(certificate);
  if (!certificateFile.ok) return certificateFile;
  const bodyFile = body === "-" ? readStandardInput(io) : read(body?.replace(/^@/, ""));
  if (!bodyFile.ok) return bodyFile;
  return ok({ certificate: certificateFile.value, body: bodyFile.value });
}

import { request } from "node:http";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { readRegularFile } from "../daemon/regular-file.ts";
import { parseLocalHostPort } from "../policy/addresses.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { hostPort } from "../support/host-port.ts";
import { err, ok, type Result } from "../support/result.ts";
import { withoutLineEnd } from "../support/secret.ts";
import type { CommandIo, Options } from "./command.ts";
import { loadPolicy } from "./load-policy.ts";

/** How a command says which admin port it asks. */
export const ADMIN_OPTIONS = {
  policy: {
    type: "string",
    short: "p",
    value: "FILE",
    text: "the policy that runs: its 'admin' has address and token",
  },
  address: {
    type: "string",
    value: "HOST:PORT",
    text: "the admin port, where the policy is not at hand or may not be read",
  },
  "token-file": { type: "string", value: "FILE", text: "the token that acts need" },
} as const satisfies Options;

export interface AdminValues {
  readonly policy?: string | undefined;
  readonly address?: string | undefined;
  readonly "token-file"?: string | undefined;
}

/** An admin port, and the token for it where one is known. */
export interface AdminTarget {
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
}

/** `isMisuse`: the command line makes no sense. */
export interface TargetFault {
  readonly text: string;
  readonly isMisuse: boolean;
}

/** The port that the options mean; the policy's own problems are told on stderr. */
export async function adminTarget(values: AdminValues, io: CommandIo): Promise<Result<AdminTarget, TargetFault>> {
  if ((values.policy === undefined) === (values.address === undefined)) {
    return err({ text: "expected --policy FILE or --address HOST:PORT", isMisuse: true });
  }
  const own = values["token-file"] === undefined ? ok(null) : readToken(values["token-file"], io);
  if (!own.ok) return err({ text: own.error, isMisuse: false });
  if (values.address !== undefined) {
    const address = parseLocalHostPort(values.address);
    return address.ok ? ok({ ...address.value, token: own.value }) : err({ text: address.error, isMisuse: true });
  }
  const loaded = await loadPolicy(values.policy ?? "", io, false);
  if (loaded === null) return err({ text: "the policy has problems; --address needs none", isMisuse: false });
  const { address, token } = loaded.snapshot.admin;
  if (address === null) return err({ text: "the policy has no 'admin: { address }'", isMisuse: false });
  return ok({ ...address, host: reachable(address.host), token: own.value ?? token?.toString("latin1") ?? null });
}

/** Why there is no answer; `status` null where nothing of HTTP came. */
export interface AdminFault {
  readonly status: number | null;
  readonly text: string;
}

/** An answer in JSON, or why there is none. */
export function askAdmin(
  target: AdminTarget,
  method: "GET" | "POST",
  path: string,
  settings: object | null = null,
): Promise<Result<unknown, AdminFault>> {
  const { host, port, token } = target;
  const where = hostPort(host, port);
  const body = settings === null ? "" : JSON.stringify(settings);
  const headers: Record<string, string | number> = {
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    ...(settings === null ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
  };
  return new Promise((answer) => {
    const fail = (error: Error): void => answer(err({ status: null, text: `${where}: ${error.message}` }));
    const outgoing = request({ host, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > DEFAULTS.adminAnswerBytesMax) outgoing.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("end", () => answer(read(response.statusCode ?? 0, Buffer.concat(chunks).toString(), token)));
      response.on("error", fail);
    });
    outgoing.setTimeout(DEFAULTS.adminTimeoutMs, () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", fail);
    outgoing.end(body);
  });
}

function read(status: number, body: string, token: string | null): Result<unknown, AdminFault> {
  const hint = status === 401 && token === null ? ", as --token-file FILE has it" : "";
  if (status !== 200) return err({ status, text: `${body.trim()}${hint} (${status})` });
  try {
    return ok(JSON.parse(body));
  } catch {
    return err({ status, text: "the answer is no JSON; is this postern's admin port?" });
  }
}

function readToken(file: string, io: CommandIo): Result<string, string> {
  const content = readRegularFile(resolve(io.cwd, file), DEFAULTS.secretBytesMax);
  if (!content.ok) return err(`${file}: ${content.error}`);
  const token = withoutLineEnd(content.value).toString("latin1");
  return /^[\x21-\x7e]+$/.test(token) ? ok(token) : err(`${file}: expected a token that a header can carry`);
}

/** Where one listens on all addresses, this machine's own is one of them. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return isIP(host) === 6 && /^[0:]+$/.test(host) ? "::1" : host;
}

import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AdminAct, AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type JsonObject, parseJsonObject } from "../support/json.ts";
import { err, ok, type Result } from "../support/result.ts";
import { choiceOf } from "../support/schema.ts";
import { logText } from "../telemetry/log-text.ts";
import type { AdminActResult } from "../telemetry/telemetry.ts";

/** An act that somebody asked for, for the log and the metrics. */
export interface ActRecord {
  /** As in `/quotas/reset`. */
  readonly act: string;
  readonly result: AdminActResult;
  readonly client: string;
  /** What was done, or why not. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface ActPage {
  readonly status: number;
  readonly body: JsonObject | string;
  readonly record: ActRecord;
}

export interface FoundAct {
  readonly act: AdminAct;
  /** All members that its settings may have. */
  readonly takes: readonly string[];
}

/** The act of a path, null where there is none. */
export function findAct(path: string, rooms: readonly AdminRoom[]): FoundAct | null {
  for (const { path: own, acts, asks, alsoTakes } of rooms) {
    const name = path.startsWith(`${own}/`) ? path.slice(own.length + 1) : "";
    const act = Object.hasOwn(acts, name) ? acts[name] : undefined;
    if (act !== undefined) return { act, takes: [...(asks?.[name] ?? []), ...(alsoTakes?.[name] ?? [])] };
  }
  return null;
}

/**
 * Does what a POST asks for. Its Host was judged before. Needs the policy's token, so that nobody who merely reaches the
 * port changes anything; and neither a form nor a page of another site can send what it needs.
 */
export async function answerAct(
  request: IncomingMessage,
  path: string,
  { act, takes }: FoundAct,
  token: Buffer | null,
): Promise<ActPage> {
  const page = (status: number, body: JsonObject | string, result: AdminActResult): ActPage => {
    const client = request.socket.remoteAddress ?? "";
    const fields = typeof body === "string" ? { fault: body } : body;
    return { status, body, record: { act: path, result, client, fields } };
  };
  const refusal = refuse(request, token);
  if (refusal !== null) return page(refusal.status, refusal.text, refusal.result);
  const settings = await readSettings(request, takes);
  if (!settings.ok) return page(400, settings.error, "failed");
  const outcome = await act(settings.value);
  if (outcome.ok) return page(200, outcome.value, "done");
  const failed = page(outcome.error.status, outcome.error.text, "failed");
  return { ...failed, record: { ...failed.record, fields: { ...failed.record.fields, ...told(settings.value) } } };
}

/** What was asked for, by the names that an act which is done has: else nobody sees at whom one that failed was aimed. */
function told(settings: JsonObject): Record<string, unknown> {
  const simple = Object.entries(settings).filter(([, value]) => typeof value !== "object");
  return Object.fromEntries(simple.map(([name, value]) => [name, typeof value === "string" ? logText(value) : value]));
}

interface Refusal {
  readonly status: 401 | 403 | 415;
  readonly text: string;
  readonly result: AdminActResult;
}

function refuse({ headers }: IncomingMessage, token: Buffer | null): Refusal | null {
  if (isOtherSite(headers)) return { status: 403, text: "a page of another site asks for this", result: "cross_site" };
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    return { status: 415, text: "expected Content-Type: application/json", result: "cross_site" };
  }
  if (token === null) {
    const text =
      "the policy lets nobody act here; give it 'admin: { token: { file: NAME } }' with a secret in the file";
    return { status: 403, text, result: "no_token" };
  }
  if (isToken(headers.authorization, token)) return null;
  return { status: 401, text: "expected Authorization: Bearer with the policy's admin token", result: "unauthorized" };
}

/**
 * Browsers say where a request comes from, in words that no page can change (Fetch Metadata, RFC 6454). Programs say
 * nothing of it.
 */
function isOtherSite({ origin, host, "sec-fetch-site": site }: IncomingMessage["headers"]): boolean {
  if (origin !== undefined && origin.toLowerCase() !== `http://${host ?? ""}`.toLowerCase()) return true;
  return site !== undefined && site !== "same-origin" && site !== "none";
}

/** By hashes, so that the time tells neither length nor content. */
function isToken(authorization: string | undefined, token: Buffer): boolean {
  const shown = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  return timingSafeEqual(hash("sha256", shown, "buffer"), hash("sha256", token, "buffer")) && shown !== "";
}

async function readSettings(request: IncomingMessage, takes: readonly string[]): Promise<Result<JsonObject, string>> {
  const body = await readBody(request);
  if (!body.ok) return body;
  if (body.value.length === 0) return ok({});
  const parsed = parseJsonObject(body.value, 4);
  if (!parsed.ok) return err(`the body is ${parsed.error}; expected a JSON object`);
  const unknown = Object.keys(parsed.value).find((name) => !takes.includes(name));
  if (unknown === undefined) return parsed;
  const hint = takes.length === 0 ? "expected none: this act takes no settings" : choiceOf(takes);
  return err(`unknown member '${unknown.slice(0, 64)}'; ${hint}`);
}

/** Of a longer one the rest is not read, and the connection ends with the answer. */
function readBody(request: IncomingMessage): Promise<Result<Buffer, string>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > DEFAULTS.adminBodyBytesMax) {
        request.pause();
        resolve(err(`expected a body of at most ${DEFAULTS.adminBodyBytesMax} bytes`));
      } else chunks.push(chunk);
    });
    request.on("end", () => resolve(ok(Buffer.concat(chunks))));
    for (const end of ["error", "aborted", "close"]) request.on(end, () => resolve(err("the body did not come whole")));
  });
}

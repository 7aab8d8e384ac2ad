import type { Exchange } from "../message/exchange.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import type { TestStep } from "../policy/tests/policy-test.ts";
import type { TestRequest } from "../policy/tests/request-section.ts";
import { err, ok, type Result } from "../support/result.ts";
import { describeExchange, type NoExchange } from "./described-request.ts";
import { type SupposedCaller, supposedCaller } from "./supposed-caller.ts";

export interface TestExchange {
  readonly exchange: Exchange;
  readonly listener: ListenerSettings;
}

const NOBODY: SupposedCaller = { assumed: null, certificate: undefined };

/** What a step of a test asks → the exchange that it would be. */
export async function exchangeOf(
  { request, as }: TestStep,
  snapshot: Snapshot,
  nowMs: number,
  readFile: ReadBeside,
): Promise<Result<TestExchange, NoExchange>> {
  const listener = snapshot.listeners.find(({ name }) => request.listener === undefined || name === request.listener);
  if (listener === undefined) return unmade(`there is no listener '${request.listener}'`);
  const bearer = as === "nobody" ? undefined : as.bearer;
  const caller = as === "nobody" || bearer !== undefined ? ok(NOBODY) : await supposedCaller(as);
  if (!caller.ok) return unmade(caller.error);
  const shown = request.certificate ?? caller.value.certificate;
  const certificate = typeof shown === "string" ? readFile(shown) : ok(shown ?? null);
  if (!certificate.ok) return unmade(`'${String(shown)}' ${certificate.error}`);
  const message = describedMessage(request, readFile);
  if (!message.ok) return unmade(message.error);
  const exchange = await describeExchange(
    {
      request: `${request.method ?? "GET"} ${request.path ?? "/"}`,
      headers: [...message.value.headers, ...(bearer === undefined ? [] : [`Authorization: Bearer ${bearer}`])],
      client: request.client ?? "127.0.0.1",
      certificate: certificate.value,
      as: caller.value.assumed,
      body: message.value.body,
    },
    listener,
    snapshot.keepsInPaths,
    nowMs,
  );
  return exchange.ok ? ok({ exchange: exchange.value, listener }) : exchange;
}

/** Reads a file that a test names, or tells why not. */
export type ReadBeside = (name: string) => Result<Buffer, string>;

interface DescribedMessage {
  /** `Name: value` lines. */
  readonly headers: string[];
  readonly body: Buffer | null;
}

/** Header lines and body of a request or an answer, as a test has them. */
export function describedMessage(
  { headers = {}, body, bodyFile }: Pick<TestRequest, "headers" | "body" | "bodyFile">,
  readFile: ReadBeside,
): Result<DescribedMessage, string> {
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value) => `${name}: ${value}`),
  );
  if (bodyFile !== undefined) {
    const content = readFile(bodyFile);
    return content.ok ? ok({ headers: lines, body: content.value }) : err(`'${bodyFile}' ${content.error}`);
  }
  if (body === undefined) return ok({ headers: lines, body: null });
  if (typeof body === "string") return ok({ headers: lines, body: Buffer.from(body) });
  if (!lines.some((line) => /^content-type:/i.test(line))) lines.push("Content-Type: application/json");
  return ok({ headers: lines, body: Buffer.from(JSON.stringify(body)) });
}

function unmade(text: string): Result<never, NoExchange> {
  return err({ text, reason: null });
}

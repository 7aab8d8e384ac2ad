import type { Exchange } from "../message/exchange.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import type { TestStep } from "../policy/tests/policy-test.ts";
import { err, ok, type Result } from "../support/result.ts";
import { describeExchange, type NoExchange } from "./described-request.ts";
import { type SupposedCaller, supposedCaller } from "./supposed-caller.ts";

interface TestExchange {
  readonly exchange: Exchange;
  readonly listener: ListenerSettings;
}

const NOBODY: SupposedCaller = { assumed: null, certificate: undefined };

/** What a step of a test asks → the exchange that it would be. */
export async function exchangeOf(
  { request, as }: TestStep,
  snapshot: Snapshot,
  nowMs: number,
  readFile: (name: string) => Result<Buffer, string>,
): Promise<Result<TestExchange, NoExchange>> {
  const listener = snapshot.listeners.find(({ name }) => request.listener === undefined || name === request.listener);
  if (listener === undefined) return unmade(`there is no listener '${request.listener}'`);
  const caller = as === "nobody" ? ok(NOBODY) : await supposedCaller(as);
  if (!caller.ok) return unmade(caller.error);
  const file = request.certificate ?? caller.value.certificate;
  const certificate = file === undefined ? null : readFile(file);
  if (certificate !== null && !certificate.ok) return unmade(`'${file}' ${certificate.error}`);
  const { body } = request;
  const isJson = body !== undefined && typeof body !== "string";
  const headers = headerLines(request.headers ?? {});
  if (isJson && !headers.some((line) => /^content-type:/i.test(line))) headers.push("Content-Type: application/json");
  const exchange = await describeExchange(
    {
      request: `${request.method ?? "GET"} ${request.path ?? "/"}`,
      headers,
      client: request.client ?? "127.0.0.1",
      certificate: certificate?.value ?? null,
      as: caller.value.assumed,
      body: body === undefined ? null : Buffer.from(isJson ? JSON.stringify(body) : String(body)),
    },
    listener,
    snapshot.keepsInPaths,
    nowMs,
  );
  return exchange.ok ? ok({ exchange: exchange.value, listener }) : exchange;
}

function headerLines(headers: Readonly<Record<string, string | readonly string[]>>): string[] {
  return Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value) => `${name}: ${value}`),
  );
}

function unmade(text: string): Result<never, NoExchange> {
  return err({ text, reason: null });
}

import { X509Certificate } from "node:crypto";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as send } from "undici";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { systemAuthorities } from "../support/system-authorities.ts";
import type { Timers } from "../support/timers.ts";
import { TLS_CIPHERS } from "../support/tls-ciphers.ts";
import type { CallAnswer, CallFault, CallRequest, CallSettings } from "./call.ts";
import { callFault, WRONG_SERVER } from "./call-fault.ts";
import { guardedLookup } from "./lookup.ts";

/** Connections as the settings want them, by way of their proxy. */
export function makeDispatcher(settings: CallSettings): Agent | EnvHttpProxyAgent {
  const { ca, certificate, key, proxy, namedHosts, socketPath, whyNotServer, connectTimeoutMs, timeoutMs } = settings;
  const connect = {
    timeout: connectTimeoutMs,
    lookup: guardedLookup(namedHosts),
    ca: ca === null ? [...systemAuthorities()] : [ca],
    ...(certificate === null || key === null ? {} : { cert: certificate, key }),
    ...(socketPath === null ? {} : { socketPath }),
    ...(whyNotServer === undefined ? {} : serverCheck(whyNotServer)),
    minVersion: "TLSv1.2" as const,
    ciphers: TLS_CIPHERS,
  };
  const options = {
    allowH2: false,
    pipelining: 1,
    connections: DEFAULTS.callConnectionsMax,
    maxHeaderSize: DEFAULTS.callHeadBytesMax,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: DEFAULTS.callIdleTimeoutMs,
    keepAliveMaxTimeout: DEFAULTS.callIdleTimeoutMs,
  };
  if (proxy === null) return new Agent({ ...options, connect });
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy.url,
    httpsProxy: proxy.url,
    // A provider on this machine is never behind the company's proxy.
    noProxy: [proxy.except, "localhost", "127.0.0.1", "::1"].filter((text) => text !== "").join(","),
    connect,
    requestTls: connect,
    proxyTls: { timeout: connectTimeoutMs, ca: [...systemAuthorities()] },
  });
}

/** Whoever is known by another name than its host's may have an intermediate authority as its anchor, too. */
function serverCheck(whyNotServer: NonNullable<CallSettings["whyNotServer"]>) {
  return {
    allowPartialTrustChain: true,
    checkServerIdentity: (_host: string, { raw }: { readonly raw: Buffer }) => {
      const text = whyNotServer(new X509Certificate(raw));
      return text === null ? undefined : Object.assign(new Error(text), { code: WRONG_SERVER });
    },
  };
}

/** One call: the whole answer, or why there is none. Never rejects. */
export async function exchange(
  dispatcher: Dispatcher,
  { method, url, headers, body }: CallRequest,
  { timeoutMs, answerBytesMax }: CallSettings,
  timers: Timers,
): Promise<Result<CallAnswer, CallFault>> {
  const deadline = new AbortController();
  const cancel = timers.after(timeoutMs, () => deadline.abort());
  try {
    const answer = await send(url, { method, headers, body, dispatcher, signal: deadline.signal });
    const { statusCode: status } = answer;
    const fault = headFault(status, answer.headers, answerBytesMax);
    if (fault !== null) {
      answer.body.on("error", () => {}).destroy();
      return err(fault);
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > answerBytesMax) return err(tooLarge(answerBytesMax));
      chunks.push(chunk);
    }
    return ok({ status, headers: joined(answer.headers), body: Buffer.concat(chunks) });
  } catch (error) {
    if (deadline.signal.aborted) return err({ kind: "timeout", text: `no whole answer within ${timeoutMs} ms` });
    return err(callFault(error));
  } finally {
    cancel();
  }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

function headFault(status: number, headers: RawHeaders, answerBytesMax: number): CallFault | null {
  if (status >= 300 && status < 400) {
    return {
      kind: "redirected",
      text: `status ${status}; expected the answer itself, so name the URL that it leads to`,
    };
  }
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    return { kind: "answer_encoded", text: "an answer with Content-Encoding, which nobody asked for" };
  }
  return Number(headers["content-length"]) > answerBytesMax ? tooLarge(answerBytesMax) : null;
}

function tooLarge(answerBytesMax: number): CallFault {
  return { kind: "answer_too_large", text: `an answer of more than ${answerBytesMax} bytes` };
}

function joined(headers: RawHeaders): Record<string, string> {
  const lines: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) lines[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value;
  }
  return lines;
}

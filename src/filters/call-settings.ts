import * as z from "zod";
import type { CallSettings } from "../calls/call.ts";
import { callUrl, hostsOf } from "../calls/call-url.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { durationMs } from "../support/schema.ts";
import { withoutMark } from "../support/text.ts";
import type { CompileContext } from "./filter.ts";

const file = z.string().min(1);

const callTimeout = durationMs.refine((ms) => ms > 0 && ms <= DEFAULTS.callTimeoutMsMax, {
  error: `expected at most ${DEFAULTS.callTimeoutMsMax / 1000}s`,
});

/** A URL that is called, `https:` or on this machine. */
export const callUrlSchema: z.ZodType<URL, string> = z.string().transform((text, context) => {
  const url = callUrl(text);
  if (url.ok) return url.value;
  context.addIssue({ code: "custom", message: url.error });
  return z.NEVER;
});

/** Keys of every entry that calls somebody. */
export const callShape = {
  ca: file
    .optional()
    .describe("PEM file: authorities that its certificate is verified against. The system's if absent."),
  certificate: file.optional().describe("PEM file: postern's own certificate, to be shown there."),
  key: file.optional().describe("PEM file: its private key."),
  timeout: callTimeout
    .default(DEFAULTS.callTimeoutMs)
    .describe(`Time for a whole answer. ${DEFAULTS.callTimeoutMs / 1000}s if absent.`),
  proxy: z
    .union([z.literal("none"), callUrlSchema], { error: "expected the URL of a proxy, or none" })
    .optional()
    .describe(
      "Proxy that it is called through; none for no proxy. HTTPS_PROXY and NO_PROXY of the environment if absent.",
    ),
};

/** As the schema gives them; absent keys may be undefined. */
export interface CallEntry {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly timeout: number;
  readonly proxy?: URL | "none" | undefined;
}

/** What a caller is opened with, and what it is made of, for a resource's identity. */
export interface CompiledCall {
  readonly settings: CallSettings;
  readonly inputs: readonly (string | Buffer)[];
}

/** An entry that calls `urls` → settings, or null with problems reported. */
export function compileCall(
  entry: CallEntry,
  urls: readonly URL[],
  context: CompileContext,
  bounds: Pick<CallSettings, "breaks" | "answerBytesMax">,
): CompiledCall | null {
  const { timeout: timeoutMs } = entry;
  if ((entry.certificate === undefined) !== (entry.key === undefined)) {
    context.problem(`'${entry.key === undefined ? "key" : "certificate"}' is missing; expected both, or neither`);
    return null;
  }
  const read = (key: "ca" | "certificate" | "key"): Buffer | null | undefined => {
    const name = entry[key];
    const content = name === undefined ? null : context.readFile(name, key);
    if (content === null) return name === undefined ? null : undefined;
    const plain = withoutMark(content);
    if (plain.ok) return plain.value;
    context.problem(`'${name}' is ${plain.error}`, key);
    return undefined;
  };
  const ca = read("ca");
  const certificate = read("certificate");
  const key = read("key");
  if (ca === undefined || certificate === undefined || key === undefined) return null;
  const proxy = entry.proxy === undefined ? context.proxy : proxyOf(entry.proxy);
  const connectTimeoutMs = Math.min(DEFAULTS.callConnectTimeoutMs, timeoutMs);
  const settings = {
    ca,
    certificate,
    key,
    proxy,
    namedHosts: hostsOf(urls),
    socketPath: null,
    connectTimeoutMs,
    timeoutMs,
  };
  const inputs = [
    ...[ca, certificate, key].map((content) => content ?? ""),
    JSON.stringify([urls.map(({ href }) => href), proxy, timeoutMs]),
  ];
  return { settings: { ...settings, ...bounds }, inputs };
}

function proxyOf(proxy: URL | "none"): CallSettings["proxy"] {
  return proxy === "none" ? null : { url: proxy.href, except: "" };
}

import * as z from "zod";
import { CERTIFICATE_LINES_NAMES, type CertificateLines } from "../../message/certificate-lines.ts";
import { headerName, object, wholeHeaderName } from "../../support/schema.ts";

export interface RequestSettings {
  readonly keepCredentials?: boolean | undefined;
  readonly removeHeaders?: readonly string[] | undefined;
  /** Names as the policy has them → values. */
  readonly setHeaders?: Readonly<Record<string, string>> | undefined;
  readonly clientCertificate?: readonly CertificateLines[] | undefined;
  readonly methodParameters?: readonly string[] | undefined;
  readonly keepHeaders?: readonly string[] | undefined;
  readonly forward?: readonly string[] | undefined;
}

/** A field value (RFC 9110 section 5.5), visible ASCII only and without blanks at its ends. */
export const headerValue: z.ZodType<string, string> = z
  .string()
  .max(4096)
  .regex(/^(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?$/, {
    error: "expected a header value: visible ASCII on one line",
  });

export const headerLines: z.ZodType<Readonly<Record<string, string>>> = z.record(
  z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, { error: "expected a header name, as in X-Env" }),
  headerValue,
);

/** ASCII without what parts a query, and with a letter: that is what is looked for. */
const parameterName = z
  .string()
  .max(64)
  .regex(/^(?=.*[A-Za-z])[\w.$-]+$/, { error: "expected the name of a parameter, as in _method" });

export const requestSchema: z.ZodType<RequestSettings> = object({
  keepCredentials: z.boolean().optional().describe("Authorization and API keys reach the service. false if absent."),
  removeHeaders: z.array(wholeHeaderName).optional().describe("Further headers that come off."),
  setHeaders: headerLines.optional().describe("Headers that are put on, in place of what the client sent."),
  clientCertificate: z
    .array(z.enum(CERTIFICATE_LINES_NAMES))
    .min(1)
    .optional()
    .describe(
      "Headers that tell the service the client's verified certificate: client-cert (RFC 9440), xfcc (Envoy). Not told if absent.",
    ),
  keepHeaders: z
    .array(headerName)
    .optional()
    .describe("Headers that pass though they would come off: names with _ or ., and those of docs/request-headers.md."),
  forward: z
    .array(headerName)
    .optional()
    .describe("Closed list: no other header passes, but those that say what the body is and on which condition."),
  methodParameters: z
    .array(parameterName)
    .max(16)
    .optional()
    .describe(
      "Parameters by which the service lets a request name another method. A usual set if absent; [] for none.",
    ),
}).describe("What of the request reaches the service.");

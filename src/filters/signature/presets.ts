import type { HmacSettings, SignatureSettings } from "./schema.ts";

/** What the providers' pages say of their signatures, in the policy's own words. */
export const PRESETS: Readonly<
  Record<Exclude<SignatureSettings["scheme"], "hmac" | "http" | "webBotAuth">, HmacSettings>
> = {
  // docs.github.com, Validating webhook deliveries
  github: {
    header: "x-hub-signature-256",
    prefix: "sha256=",
    algorithm: "sha256",
    encoding: "hex",
    signs: "{body}",
  },
  // docs.stripe.com, Verify webhook signatures manually
  stripe: {
    header: "stripe-signature",
    element: "v1",
    algorithm: "sha256",
    encoding: "hex",
    timestamp: { element: "t" },
    signs: "{timestamp}.{body}",
  },
  // docs.slack.dev, Verifying requests from Slack
  slack: {
    header: "x-slack-signature",
    prefix: "v0=",
    algorithm: "sha256",
    encoding: "hex",
    timestamp: { header: "x-slack-request-timestamp" },
    signs: "v0:{timestamp}:{body}",
  },
};

/** What schemes of RFC 9421 ask for where the policy does not say. */
export interface MessagePreset {
  readonly covers: readonly string[];
  /** Fields that have to be covered where a request has them. */
  readonly coversIfThere: readonly string[];
  readonly tag: string | null;
  readonly needsExpires: boolean;
}

export const MESSAGE_PRESETS: Readonly<Record<"http" | "webBotAuth", MessagePreset>> = {
  http: { covers: ["@method", "@target-uri", "content-digest"], coversIfThere: [], tag: null, needsExpires: false },
  // draft-meunier-web-bot-auth-architecture section 4.2
  webBotAuth: {
    covers: ["@authority"],
    coversIfThere: ["signature-agent"],
    tag: "web-bot-auth",
    needsExpires: true,
  },
};

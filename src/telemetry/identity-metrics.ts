import { labelText } from "./cells.ts";
import type { PolicyFigures } from "./metrics.ts";
import type { AnomaliesInForce, AuthenticatorFacts, BansInForce } from "./telemetry.ts";

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** A family of metrics of those who ask, read from the policy in force. */
export interface IdentityFamily {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  samples(policy: PolicyFigures): readonly Sample[];
}

export const IDENTITY_FAMILIES: readonly IdentityFamily[] = [
  {
    kind: "counter",
    name: "postern_bans_total",
    help: "Bans that began, by the policy's ban.",
    samples: ({ bans }) => banSamples(bans, "begun"),
  },
  {
    kind: "gauge",
    name: "postern_bans_active",
    help: "Bans that hold now and are listed.",
    samples: ({ bans }) => banSamples(bans, "active"),
  },
  {
    kind: "counter",
    name: "postern_bans_unlisted_total",
    help: "Of the bans that began, those for which the list had no room.",
    samples: ({ bans }) => banSamples(bans, "unlisted"),
  },
  {
    kind: "counter",
    name: "postern_anomalies_total",
    help: "Anomalies that began, by kind.",
    samples: ({ anomalies }) => anomalySamples(anomalies, "begun"),
  },
  {
    kind: "gauge",
    name: "postern_anomalies_active",
    help: "Anomalies that are there now, by kind.",
    samples: ({ anomalies }) => anomalySamples(anomalies, "active"),
  },
  {
    kind: "gauge",
    name: "postern_credential_last_used_timestamp_seconds",
    help: "When a caller's key was used last.",
    samples: ({ authenticators }) => authenticators.flatMap(credentialSamples),
  },
];

function banSamples(bans: BansInForce | null, figure: "begun" | "active" | "unlisted"): Sample[] {
  return (bans?.facts ?? []).map(({ name }) => ({
    labels: { ban: labelText(name) },
    value: bans?.book.figures(name)[figure] ?? 0,
  }));
}

function anomalySamples(anomalies: AnomaliesInForce | null, figure: "begun" | "active"): Sample[] {
  return Array.from(anomalies?.figures() ?? [], (one) => ({ labels: { kind: one.kind }, value: one[figure] }));
}

function credentialSamples({ name, uses }: AuthenticatorFacts): Sample[] {
  return Array.from(uses?.() ?? [], ({ caller, credential, lastUsedMs }) => ({
    labels: { authenticator: labelText(name), caller: labelText(caller), credential: labelText(credential) },
    value: lastUsedMs / 1000,
  }));
}

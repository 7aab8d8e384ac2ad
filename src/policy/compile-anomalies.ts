import { AnomalyBook } from "../anomalies/book.ts";
import { type AnomalyKind, type AnomalySettings, KINDS, SENSITIVITIES } from "../anomalies/kinds.ts";
import { AnomalyObserver, type CredentialPlaces, type WatchedRoute } from "../anomalies/observer.ts";
import { anomalyRoom } from "../anomalies/room.ts";
import { AnomalyWatch } from "../anomalies/watch.ts";
import { AnomalyWebhook, webhookSecret } from "../anomalies/webhook.ts";
import type { Reason } from "../decision/reason.ts";
import type { Place } from "../decision/verdict.ts";
import { GUESSES } from "../filters/bans/reasons.ts";
import { compileCall } from "../filters/call-settings.ts";
import { keyOfRoute } from "../inventory/route-use.ts";
import type { RequestObserver } from "../records/decision-records.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { type AnomaliesSettings, anomaliesSchema } from "./anomalies-schema.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

const PATH: Path = ["anomalies"];

/** Guesses, without what was good once: a token that has ended is shown by whoever had it. */
export const TRIED: ReadonlySet<Reason> = new Set(
  [...GUESSES].filter(
    (reason) => !/(?:_expired|_not_yet_valid|_revoked|_unknown_revocation|revocation_unknown)$/.test(reason),
  ),
);

/** Who sees each request of a policy that asks for anomalies, what the admin port shows, and what counts while it is in force. */
export interface Anomalies {
  readonly observer: RequestObserver;
  readonly room: AdminRoom;
  readonly watch: AnomalyWatch;
}

/** Section `anomalies`, when all routes are known; null where it has a problem. */
export function compileAnomalies(work: Work): Anomalies | null {
  const read = work.reader.read(anomaliesSchema, work.reader.raw(PATH), PATH);
  if (read === undefined) return null;
  const webhook = compileWebhook(work, read.webhook);
  if (webhook === undefined) return null;
  const settings = settingsOf(read);
  if (KINDS.every((kind) => settings.factors[kind] === null)) {
    work.warning("no_effect", "all kinds are off; expected one that is not, or no 'anomalies'", [...PATH, "kinds"]);
  }
  // What was learnt is of the service, whatever a policy asks for.
  const book = work.acquisition.acquire("anomalies", [], (world) => new AnomalyBook(world));
  const { clock } = work.inputs;
  const routes = new Map<Place, WatchedRoute>(
    work.routes.map(({ template, hosts, versions, place }) => [
      place,
      { key: keyOfRoute({ template, hosts, versions }), template },
    ]),
  );
  const credentials = credentialPlaces(work);
  return {
    observer: new AnomalyObserver(book, routes, credentials, settings.learnMs, clock),
    room: anomalyRoom(book, settings),
    watch: new AnomalyWatch(book, settings, credentials.guesses, webhook),
  };
}

function settingsOf({ learn, sensitivity = "normal", kinds = {} }: AnomaliesSettings): AnomalySettings {
  const factors: Partial<Record<AnomalyKind, number | null>> = {};
  for (const kind of KINDS) {
    const word = kinds[kind] ?? sensitivity;
    factors[kind] = word === "off" ? null : SENSITIVITIES[word];
  }
  return { learnMs: learn ?? DEFAULTS.anomalyLearnMs, factors: factors as AnomalySettings["factors"] };
}

/** Undefined where it has a problem. */
function compileWebhook(work: Work, settings: AnomaliesSettings["webhook"]): AnomalyWebhook | null | undefined {
  if (settings === undefined) return null;
  const path: Path = [...PATH, "webhook"];
  const bytes = work.secret(settings.secret, [...path, "secret"]);
  if (bytes === null) return undefined;
  const secret = webhookSecret(bytes.toString("latin1"));
  if (!secret.ok) {
    work.problem(secret.error, [...path, "secret"]);
    return undefined;
  }
  const context = work.context((inner) => [...path, ...inner]);
  const bounds = { breaks: false, answerBytesMax: DEFAULTS.anomalyWebhookAnswerBytesMax };
  const call = compileCall(settings, [settings.url], context, bounds);
  if (call === null) return undefined;
  const { service } = work;
  const parts = { url: settings.url, secret: secret.value, call: call.settings, service };
  const identity = [...call.inputs, secret.value, service];
  return context.resource("webhook", identity, (world) => new AnomalyWebhook(parts, world));
}

/** Proofs are made anew for each request, so that they tell nobody from another. */
const PROOFS = /^(?:dpop|signature|signature-input|content-digest)$/;

function credentialPlaces({ authenticators }: Work): CredentialPlaces {
  const headers = new Set(["authorization"]);
  for (const one of authenticators.values()) for (const name of one.credentialHeaders) headers.add(name);
  return { guesses: TRIED, headers: [...headers].filter((name) => !PROOFS.test(name)) };
}

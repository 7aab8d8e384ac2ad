const MINUTE_MS = 60_000;

/** What an anomaly of a kind is, and what to do about it. */
export interface KindSpec {
  readonly text: string;
  readonly advice: string;
  /** It has ended when it was not seen for so long. */
  readonly quietMs: number;
  /** Of an operation it is the service's: where several have it, one cause is likely. */
  readonly isOfService?: true;
}

/** Closed, for it is a metric label, a word of the policy and a field of the log. */
export const ANOMALY_KINDS = {
  error_rate: {
    text: "more answers of 5xx than usual",
    advice:
      "Look at the service: its log, its last deployment, what it depends on. 'reason' of the lines says whether it answered.",
    quietMs: 5 * MINUTE_MS,
    isOfService: true,
  },
  denial_burst: {
    text: "more refusals than usual, for a reason or of a caller",
    advice:
      "Ask 'postern explain ID' of an example. A new policy refuses honest clients: take it back. Somebody tries: a ban on the reason.",
    quietMs: 10 * MINUTE_MS,
  },
  new_caller: {
    text: "a caller that never used an operation whose callers have long been the same",
    advice: "Ask its owner whether it is meant to. Else revoke the credential, and name the callers in 'authorize'.",
    quietMs: 60 * MINUTE_MS,
  },
  unusual_size: {
    text: "bodies that are much longer than those of the operation",
    advice:
      "Answers: look at who asks, and for what; 'response.validate' and a budget bound what leaves. Requests: 'maxBytes' of 'validate.body'.",
    quietMs: 15 * MINUTE_MS,
  },
  unusual_time: {
    text: "answers that take much longer than usual, or a caller at hours at which it never asks",
    advice:
      "Slow: look at the service and what it depends on. Hours: ask the caller's owner, else revoke its credential.",
    quietMs: 10 * MINUTE_MS,
    isOfService: true,
  },
  path_scan: {
    text: "many different paths that are not there, or are refused",
    advice: "A ban on 'route_not_found' and 'method_not_allowed' by 'client.address' stops one address.",
    quietMs: 15 * MINUTE_MS,
  },
  id_enumeration: {
    text: "many more different objects than a caller usually asks for",
    advice:
      "A limit with 'distinct' on the parameter bounds it; 'authorize' should let callers have their own objects alone.",
    quietMs: 15 * MINUTE_MS,
  },
  credential_stuffing: {
    text: "many different credentials that fail, of one address or of many",
    advice:
      "A ban on 'api_key_unknown' or 'password_wrong' by 'client.address' stops few addresses; against many, ask for another factor, and tell the accounts.",
    quietMs: 20 * MINUTE_MS,
  },
  replay: {
    text: "one credential from many networks at once",
    advice: "Ask its owner; revoke it where nobody knows. A bound token (mTLS, DPoP) cannot be used by others.",
    quietMs: 20 * MINUTE_MS,
  },
} as const satisfies Readonly<Record<string, KindSpec>>;

export type AnomalyKind = keyof typeof ANOMALY_KINDS;

export const KINDS = Object.keys(ANOMALY_KINDS) as readonly AnomalyKind[];

/** What a threshold is multiplied by. */
export const SENSITIVITIES = { low: 2, normal: 1, high: 0.5 } as const;
export type Sensitivity = keyof typeof SENSITIVITIES;

/** What a policy says of anomalies. */
export interface AnomalySettings {
  /** How long means are learnt before anything is told against them. */
  readonly learnMs: number;
  /** Of a kind; null: it is off. */
  readonly factors: Readonly<Record<AnomalyKind, number | null>>;
}

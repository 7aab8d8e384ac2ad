import type { Exchange } from "../../message/exchange.ts";
import type { Principal } from "../../message/principal.ts";
import { algorithmsOf } from "../../proof/message-signature.ts";
import { readSignatureAgent } from "../../proof/signature-agent.ts";
import { thumbprint } from "../../proof/thumbprint.ts";
import { ok, type Result } from "../../support/result.ts";
import type { KeyRing } from "../jwt/key-ring.ts";
import type { KeySource } from "../jwt/key-source.ts";
import type { SigningKey } from "./signing-key.ts";

export const DIRECTORY_PATH = "/.well-known/http-message-signatures-directory";

const NO_KEYS: ReadonlyMap<string, SigningKey> = new Map();

/** Somebody whose keys stand in a directory of its own (draft-meunier-http-message-signatures-directory). */
export class Agent {
  readonly principal: Principal;
  readonly #source: KeySource;
  #ring: KeyRing | null = null;
  #keys = NO_KEYS;

  constructor(source: KeySource, principal: Principal) {
    this.#source = source;
    this.principal = principal;
  }

  /** By its thumbprint (RFC 7638), which is what signatures call it, whatever the directory does. */
  keyOf(keyid: string): SigningKey | undefined {
    const { ring } = this.#source;
    if (ring !== this.#ring) {
      this.#ring = ring;
      this.#keys = ring === null ? NO_KEYS : signingKeys(ring, this.principal);
    }
    return this.#keys.get(keyid);
  }

  /** The end of a try to have newer keys than those that do not have this one; null where none may begin now. */
  newer(): Promise<void> | null {
    return this.#source.newer(this.#source.ring);
  }

  /** Why nobody can say that a key is not the agent's; null where its directory says so. */
  get doubt(): string | null {
    return this.#source.ring === null || this.#source.isInDoubt ? this.#source.words : null;
  }

  noteUnknownKey(): void {
    this.#source.noteUnknownKid();
  }
}

function signingKeys(ring: KeyRing, principal: Principal): ReadonlyMap<string, SigningKey> {
  const keys = new Map<string, SigningKey>();
  for (const { key } of ring.keys) {
    const [algorithm] = algorithmsOf(key);
    const keyid = thumbprint({ ...key.export({ format: "jwk" }) });
    if (algorithm !== undefined && keyid !== null) keys.set(keyid, { key, algorithm, principal });
  }
  return keys;
}

/** The agents of a policy by their origins. Nobody else's directory is asked, whoever a request says that it is of. */
export class Agents {
  readonly #byOrigin: ReadonlyMap<string, Agent>;

  constructor(byOrigin: ReadonlyMap<string, Agent>) {
    this.#byOrigin = byOrigin;
  }

  /** The one that the policy calls so. */
  callerNamed(name: string): Principal | null {
    for (const { principal } of this.#byOrigin.values()) if (principal.id === name) return principal;
    return null;
  }

  /** Null where the signature names nobody; the error is what it names instead of one of them. */
  agentOf({ headers }: Exchange, label: string): Result<Agent, string> | null {
    const named = readSignatureAgent(headers, label);
    if (!named.ok) return named;
    if (named.value === null) return null;
    const agent = this.#byOrigin.get(originOf(named.value) ?? "");
    return agent === undefined ? { ok: false, error: `agent ${named.value}` } : ok(agent);
  }
}

/** Of `https://bot.example`, with or without the directory's path; null for anything else. */
function originOf(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "https:" || url.username !== "" || url.password !== "") return null;
  if (url.search !== "" || url.hash !== "" || text.includes("?") || text.includes("#")) return null;
  return url.pathname === "/" || url.pathname === DIRECTORY_PATH ? url.origin : null;
}

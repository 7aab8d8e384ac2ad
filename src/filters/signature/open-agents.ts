import { hostsOf } from "../../calls/call-url.ts";
import { callerPrincipal } from "../caller-principal.ts";
import type { CompileContext } from "../filter.ts";
import { ALGORITHMS } from "../jwt/algorithms.ts";
import { KeyFetcher } from "../jwt/key-fetcher.ts";
import { KeySet } from "../jwt/key-set.ts";
import { keyCallSettings } from "../jwt/open-keys.ts";
import { Agent, Agents, DIRECTORY_PATH } from "./agents.ts";
import type { AgentSettings } from "./schema.ts";

/** What a directory's keys may be for in the words of JWK; secrets are none, for they would be published. */
const PUBLISHED: ReadonlySet<string> = new Set(ALGORITHMS.filter((name) => !name.startsWith("HS")));

/** The agents of an authenticator, or null with problems reported. Their keys outlive the policy. */
export function openAgents(name: string, entries: readonly AgentSettings[], context: CompileContext): Agents | null {
  const agents = new Map<string, Agent>();
  let isSound = true;
  for (const [at, entry] of entries.entries()) {
    const agent = openAgent(name, entry, at, context);
    isSound &&= agent !== null;
    if (agents.has(entry.url.origin)) {
      context.problem(`a second agent at ${entry.url.origin}`, "agents", at, "url");
      isSound = false;
    }
    if (agent !== null) agents.set(entry.url.origin, agent);
  }
  if (isSound && !context.hasState) {
    context.warning(
      "state_missing",
      "without 'state' nobody who needs these keys gets in when postern starts while the agent's directory is down",
      "agents",
    );
  }
  return isSound ? new Agents(agents) : null;
}

function openAgent(
  name: string,
  { url, ca: caFile, caller = url.host, scopes, roles }: AgentSettings,
  at: number,
  context: CompileContext,
): Agent | null {
  const isPlain = url.protocol === "https:" && url.pathname === "/" && url.search === "" && url.hash === "";
  if (!isPlain) context.problem("expected the agent's origin, as in https://bot.example", "agents", at, "url");
  const ca = caFile === undefined ? null : context.readFile(caFile, "agents", at, "ca");
  if (!isPlain || (ca === null && caFile !== undefined)) return null;
  const directory = new URL(DIRECTORY_PATH, url);
  const { proxy } = context;
  const source = context.resource("key directory", [directory.href, ca ?? "", JSON.stringify(proxy)], (world) => {
    const caller = world.openCaller(keyCallSettings(ca, proxy, hostsOf([url])));
    const fetcher = new KeyFetcher(caller, { url: directory }, null);
    return new KeySet({ name: `${name} ${url.host}`, id: directory.href, algorithms: PUBLISHED, fetcher }, world);
  });
  const facts = { name: caller, scopes, roles };
  return new Agent(source, callerPrincipal(name, "signature", facts, Number.POSITIVE_INFINITY));
}

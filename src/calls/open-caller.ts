import type { Agent, EnvHttpProxyAgent } from "undici";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, type Result } from "../support/result.ts";
import type { Timers } from "../support/timers.ts";
import { Breaker } from "./breaker.ts";
import type { CallAnswer, Caller, CallFault, CallRequest, CallSettings } from "./call.ts";
import { callFault } from "./call-fault.ts";
import { hostOf } from "./call-url.ts";
import { isInnerAddress } from "./lookup.ts";

const CIRCUIT_OPEN: CallFault = {
  kind: "circuit_open",
  text: `${DEFAULTS.breakerFailures} calls in a row failed; it is left alone for a while`,
};
const CLOSED: CallFault = { kind: "closed", text: "the policy that asked is no longer in force" };

/** What a caller needs of the world. */
export interface CallerDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 to 1. */
  readonly random: () => number;
}

/** A caller over undici, which is loaded with the first call: most policies call nobody. */
export function openCaller(settings: CallSettings, { clock, timers, random }: CallerDeps): Caller {
  const breaker = settings.breaks ? new Breaker(clock, random) : null;
  let dispatcher: Agent | EnvHttpProxyAgent | null = null;
  let underWay = 0;
  let isClosed = false;

  const ask = async (request: CallRequest): Promise<Result<CallAnswer, CallFault>> => {
    const host = hostOf(request.url);
    // An address is never looked up, so that it has to be looked at here.
    if (isInnerAddress(host) && !settings.namedHosts.has(host)) {
      return err({ kind: "address_refused", text: `${host} is a link-local or metadata address` });
    }
    const { exchange, makeDispatcher } = await import("./dispatch.ts");
    dispatcher ??= makeDispatcher(settings);
    return exchange(dispatcher, request, settings, timers);
  };

  const release = (): void => {
    if (!isClosed || underWay > 0) return;
    void dispatcher?.close();
    dispatcher = null;
  };

  return {
    call: async (request) => {
      if (isClosed) return err(CLOSED);
      if (underWay >= DEFAULTS.callsUnderWayMax) {
        return err({ kind: "busy", text: `${underWay} calls are under way` });
      }
      if (breaker?.allows() === false) return err(CIRCUIT_OPEN);
      underWay++;
      const answer = await ask(request).catch((error) => err(callFault(error)));
      if (answer.ok && answer.value.status < 500) breaker?.succeeded();
      else breaker?.failed();
      underWay--;
      release();
      return answer;
    },
    close: () => {
      isClosed = true;
      release();
    },
  };
}

import type { AdminAnswer, AdminRoom } from "../resources/admin-room.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok } from "../support/result.ts";
import type { RecentDecisions } from "./recent-decisions.ts";
import type { Tracer } from "./tracer.ts";

/**
 * `GET /decisions`: the newest, `?id=ID` one of them, `?after=NUMBER&which=denied` those since, `?trace=TICKET` what became of
 * a trace. `POST /decisions/trace` with `condition` and `seconds` arms one, `/decisions/untrace` with `trace` takes it back.
 */
export function decisionsRoom(recent: RecentDecisions, tracer: Tracer, clock: Pick<Clock, "wallMs">): AdminRoom {
  return {
    path: "/decisions",
    show: (query) => {
      const id = query.get("id");
      if (id !== null) return showOne(recent, id);
      const ticket = query.get("trace");
      if (ticket !== null) return showTrace(recent, tracer, ticket);
      return showAfter(recent, query);
    },
    asks: { trace: ["condition"], untrace: ["trace"] },
    alsoTakes: { trace: ["seconds"] },
    acts: {
      trace: (settings) => arm(tracer, clock, settings),
      untrace: ({ trace }) => {
        if (typeof trace !== "string")
          return err({ status: 400, text: "expected 'trace', as the answer to it named it" });
        tracer.disarm(trace);
        return ok({ trace, state: "over" });
      },
    },
  };
}

function showOne(recent: RecentDecisions, id: string): AdminAnswer {
  const facts = recent.find(id);
  if (facts !== null) return ok({ decision: facts });
  const text = `no decision '${id.slice(0, 64)}' is kept; there are the last denials and a sample of other requests`;
  return err({ status: 404, text });
}

function showTrace(recent: RecentDecisions, tracer: Tracer, ticket: string): AdminAnswer {
  const state = tracer.state(ticket);
  if (typeof state === "string") return ok({ trace: ticket, state });
  const facts = recent.find(state.id);
  return ok(facts === null ? { trace: ticket, state: "over" } : { trace: ticket, state: "found", decision: facts });
}

function showAfter(recent: RecentDecisions, query: URLSearchParams): AdminAnswer {
  const after = query.get("after") ?? "0";
  const which = query.get("which") ?? "all";
  if (!/^\d{1,15}$/.test(after) || (which !== "all" && which !== "denied")) {
    return err({ status: 400, text: "expected after=NUMBER and which=all or which=denied" });
  }
  const decisions = recent.after(Number(after), which);
  return ok({ last: recent.last, decisions: decisions.map(({ seq, facts }) => ({ seq, ...facts })) });
}

async function arm(tracer: Tracer, clock: Pick<Clock, "wallMs">, settings: JsonObject): Promise<AdminAnswer> {
  const { condition, seconds = DEFAULTS.traceMsMax / 1000 } = settings;
  if (typeof condition !== "string" || condition.length > DEFAULTS.traceConditionCharsMax) {
    const text = `expected 'condition' in CEL, at most ${DEFAULTS.traceConditionCharsMax} characters`;
    return err({ status: 400, text });
  }
  if (typeof seconds !== "number" || !(seconds > 0 && seconds * 1000 <= DEFAULTS.traceMsMax)) {
    return err({ status: 400, text: `expected 'seconds' of more than 0 and at most ${DEFAULTS.traceMsMax / 1000}` });
  }
  // Nobody else needs what reads conditions here.
  const { traceCondition } = await import("./trace-condition.ts");
  const meets = traceCondition(condition, clock);
  if (!meets.ok) return err({ status: 400, text: `the condition, ${meets.error}` });
  const ticket = tracer.arm(meets.value, seconds * 1000);
  if (ticket === null) return err({ status: 400, text: "another trace waits for its request; one waits at a time" });
  return ok({ trace: ticket, condition: condition.slice(0, DEFAULTS.logTextCharsMax), seconds });
}

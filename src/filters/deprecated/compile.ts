import { CONTINUE } from "../../decision/verdict.ts";
import type { Exchange } from "../../message/exchange.ts";
import { hasKey } from "../../support/has-key.ts";
import { compileRule } from "../authorize/compile.ts";
import { language } from "../authorize/when.ts";
import { defineFilter, type RouteContext } from "../filter.ts";
import { describeEnd, type EndOfLife, type Exception, endLines, judgeEnd, linkLines, outcomeOf } from "./evaluate.ts";
import { type DeprecatedSettings, deprecatedSchema, type ExceptionSettings } from "./schema.ts";
import { UseBook } from "./use-book.ts";

/** `deprecated`: what answers say of a route that is to end, and its end. */
export const deprecatedFilter = defineFilter<DeprecatedSettings>({
  name: "deprecated",
  defaults: "override",
  schema: deprecatedSchema,
  prepare: (settings) => (settings === undefined || hasKey(settings, "when") ? language.prepare() : undefined),
  compile(settings, context) {
    const end = compileEnd(settings, context);
    if (end === null) return;
    context.addResponseHeaders(endLines(end), linkLines(end));
    const { clock } = context;
    const use = context.resource("deprecated use", [], (world) => new UseBook(world)).of(nameOf(context));
    const place = context.place();
    context.addCheck({
      name: "deprecated",
      phase: "authorize",
      place,
      enforcePercent: 100,
      // Who uses it is counted once a request, and not each time that a stream is judged again.
      once: true,
      evaluate: (exchange: Exchange) => {
        const nowMs = clock.wallMs();
        exchange.deprecated = outcomeOf(end, exchange, nowMs);
        use.note(exchange, nowMs);
        return CONTINUE;
      },
      explain: (exchange) => `the request counts as ${outcomeOf(end, exchange, clock.wallMs())}`,
    });
    context.addCheck({
      name: "deprecated",
      phase: "authorize",
      place,
      enforcePercent: settings.mode ?? 100,
      evaluate: (exchange) => judgeEnd(end, exchange, clock.wallMs()),
      explain: (exchange) => describeEnd(end, exchange, clock.wallMs()),
    });
  },
});

/** What a route is called among those that are asked for: its path, and behind it whose version's it is. */
function nameOf({ template, versions }: RouteContext): string {
  return versions.length === 0 ? template : `${template} version ${versions.join(", ")}`;
}

/** Null where a problem was reported. */
function compileEnd(settings: DeprecatedSettings, context: RouteContext): EndOfLife | null {
  const { since, sunset, successor, announcement, brownouts = [], except = [] } = settings;
  if (since !== undefined && sunset !== undefined && sunset < since) {
    // RFC 9745 section 4.
    context.problem("it ends before it is deprecated; expected a 'sunset' that is not before 'since'", "sunset");
    return null;
  }
  const compiled = except.map((one, at) => compileException(one, at, context));
  const exceptions = compiled.filter((one) => one !== null);
  if (exceptions.length !== compiled.length) return null;
  warnTimes(settings, context);
  return {
    sinceMs: since ?? null,
    sunsetMs: sunset ?? null,
    successor: successor ?? null,
    announcement: announcement ?? null,
    brownouts: brownouts.toSorted((a, b) => a.fromMs - b.fromMs),
    exceptions,
    sunsetPlace: context.place("sunset"),
    brownoutPlace: context.place("brownouts"),
  };
}

function compileException({ until, ...rule }: ExceptionSettings, at: number, context: RouteContext): Exception | null {
  const compiled = compileRule(rule, ["except", at], context);
  if (compiled === null) return null;
  if (compiled.phase === "validate") {
    context.problem("the body is not known when this is judged; expected a rule about the caller", "except", at);
    return null;
  }
  return { rule: compiled, untilMs: until };
}

/** What reads well and has no effect, or more than was meant. */
function warnTimes({ since, sunset, brownouts = [], except = [] }: DeprecatedSettings, context: RouteContext): void {
  const nowMs = context.clock.wallMs();
  if (sunset !== undefined && sunset <= nowMs && !except.some(({ until }) => until >= nowMs)) {
    context.warning("deprecation_idle", "it has ended, and nobody is excepted: each request gets 410", "sunset");
  }
  for (const [at, { fromMs, untilMs }] of brownouts.entries()) {
    if (sunset !== undefined && untilMs > sunset) {
      context.warning(
        "deprecation_idle",
        "this brown-out reaches beyond 'sunset', where all requests get 410 anyway",
        "brownouts",
        at,
      );
    } else if (since !== undefined && fromMs < since) {
      context.warning("deprecation_idle", "this brown-out begins before 'since': nobody was told yet", "brownouts", at);
    }
  }
  for (const [at, { until }] of except.entries()) {
    if (until < nowMs) context.warning("deprecation_idle", "this exception is over", "except", at, "until");
    else if (sunset !== undefined && until < sunset && brownouts.length === 0) {
      context.warning(
        "deprecation_idle",
        "this exception ends before 'sunset', so it has no effect",
        "except",
        at,
        "until",
      );
    }
  }
}

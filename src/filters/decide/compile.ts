import { type Attribute, attributeName, bindAttribute } from "../../attributes/attribute.ts";
import { paramNames, parseTemplate } from "../../matching/template.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { compileCall } from "../call-settings.ts";
import type { CompileContext, DecisionService, RouteContext } from "../filter.ts";
import { DecisionPoint } from "./decision-point.ts";
import { objectOf, type Template } from "./document.ts";
import { DecideCheck } from "./evaluate.ts";
import { protocolOf } from "./protocol.ts";
import type { Question } from "./question.ts";
import type { DecideSettings, DecisionServiceSettings, ValueSettings } from "./schema.ts";

export { decideSchema, decisionServiceSchema } from "./schema.ts";

/** An entry of `decisionServices` → what routes ask, or null with problems reported. */
export function compileDecisionService(
  name: string,
  settings: DecisionServiceSettings,
  context: CompileContext,
): DecisionService | null {
  const { type, url, cache, onFailure } = settings;
  const bounds = { breaks: true, answerBytesMax: DEFAULTS.decisionAnswerBytesMax };
  const call = compileCall(settings, [url], context, bounds);
  const token = settings.token === undefined ? undefined : context.secret(settings.token, "token");
  if (call === null || token === null) return null;
  if (onFailure === "allow") {
    context.warning("fails_open", "whoever can keep this service from answering is let in by it", "onFailure");
  }
  const cacheMs = cache?.for ?? 0;
  const identity = [JSON.stringify([type, url.href, cacheMs]), token ?? "", ...call.inputs];
  const protocol = protocolOf(type, url);
  const point = context.resource("decision service", identity, (world) => {
    const shown = token === undefined ? null : token.toString("latin1");
    return new DecisionPoint({ name, protocol, call: call.settings, token: shown, cacheMs }, world);
  });
  // Attributes are the route's: its path parameters, its body.
  return {
    name,
    place: context.place(),
    question: (route) => compileQuestion(name, settings, point, route),
  };
}

/** `decide` of a route: each service it names is asked. */
export function compileDecide(settings: DecideSettings, context: RouteContext): void {
  const { by, mode = 100 } = Array.isArray(settings) ? { by: settings } : settings;
  const path = Array.isArray(settings) ? [] : ["by"];
  for (const [at, name] of by.entries()) {
    const service = context.decisionServices.get(name);
    if (service === undefined) {
      if (context.isDefined("decisionServices", name)) continue;
      const hint = context.hint("decisionServices", name);
      context.problem(`decision service '${name}' is not defined; ${hint}`, ...path, at);
      continue;
    }
    const question = service.question(context);
    if (!question.ok) context.problem(`decision service '${name}': ${question.error}`, ...path, at);
    else context.addCheck(new DecideCheck(question.value, context.place(...path, at), mode, context.waiting));
  }
}

/** Attributes of a question, bound to a route; the first fault ends it. */
class Binder {
  readonly #route: RouteContext;
  readonly #parameters: readonly string[];
  #phase: "authorize" | "validate" = "authorize";
  fault: string | null = null;

  constructor(route: RouteContext) {
    const parsed = parseTemplate(route.template);
    this.#route = route;
    this.#parameters = parsed.ok ? paramNames(parsed.value) : [];
  }

  /** That of the last thing to be known. */
  get phase(): "authorize" | "validate" {
    return this.#phase;
  }

  get parameters(): readonly string[] {
    return this.#parameters;
  }

  attribute(text: string): Attribute | null {
    const name = attributeName(text);
    if (!name.ok) return this.#fail(name.error);
    const { row } = name.value;
    if (this.#route.isPublic && row.from === "authorize") {
      return this.#fail(`a public route has no caller, so that '${text}' is never there`);
    }
    const phase = row.from === "validate" ? "validate" : "authorize";
    const { template, clock } = this.#route;
    const bound = bindAttribute(name.value, { phase, parameters: this.#parameters, route: template, clock });
    if (!bound.ok) return this.#fail(`${bound.error} (${template})`);
    if (phase === "validate") {
      this.#phase = phase;
      this.#route.wantBody(this.#route.place());
    }
    return bound.value;
  }

  value(settings: ValueSettings, isNeeded = false): Template | null {
    if (typeof settings !== "string") return { kind: "text", text: settings.text };
    const attribute = this.attribute(settings);
    return attribute === null ? null : { kind: "attribute", attribute, isNeeded };
  }

  values(settings: Readonly<Record<string, ValueSettings>> | undefined): Template | null {
    if (settings === undefined) return null;
    return objectOf(Object.fromEntries(Object.entries(settings).map(([name, one]) => [name, this.value(one)])));
  }

  #fail(fault: string): null {
    this.fault ??= fault;
    return null;
  }
}

function compileQuestion(
  name: string,
  settings: DecisionServiceSettings,
  point: DecisionPoint,
  route: RouteContext,
): ReturnType<DecisionService["question"]> {
  const binder = new Binder(route);
  const template = settings.type === "opa" ? opaTemplate(settings, binder, route) : authzenTemplate(settings, binder);
  const cacheBy = settings.cache?.by.map((text) => binder.attribute(text)) ?? [];
  if (binder.fault !== null) return { ok: false, error: binder.fault };
  const question: Question = {
    service: name,
    id: point.newQuestion(),
    point,
    protocol: protocolOf(settings.type, settings.url),
    template,
    // The document says more than these, and they say enough: the policy's word.
    cacheBy: settings.cache === undefined ? null : cacheBy.filter((one) => one !== null),
    phase: binder.phase,
    timeoutMs: settings.timeout,
    opensOnFailure: settings.onFailure === "allow",
  };
  return { ok: true, value: question };
}

type Opa = Extract<DecisionServiceSettings, { type: "opa" }>;
type Authzen = Extract<DecisionServiceSettings, { type: "authzen" }>;

function opaTemplate({ input }: Opa, binder: Binder, { isPublic }: RouteContext): Template {
  if (input !== undefined) return objectOf({ input: binder.values(input) });
  const path = Object.fromEntries(
    binder.parameters.map((name) => [name, binder.value(`path.${JSON.stringify(name)}`)]),
  );
  return objectOf({
    input: objectOf({
      request: objectOf({
        method: binder.value("request.method"),
        path: binder.value("request.path"),
        host: binder.value("request.host"),
      }),
      path: objectOf(path),
      route: binder.value("route"),
      client: objectOf({ address: binder.value("client.address") }),
      principal: isPublic
        ? null
        : objectOf({
            id: binder.value("principal.id"),
            type: binder.value("principal.type"),
            authenticator: binder.value("principal.authenticator"),
            scopes: binder.value("principal.scopes"),
            roles: binder.value("principal.roles"),
            groups: binder.value("principal.groups"),
          }),
    }),
  });
}

function authzenTemplate(settings: Authzen, binder: Binder): Template {
  const { subject, action, resource, context } = settings;
  const text = (value: string): Template => ({ kind: "text", text: value });
  const { type: subjectType = "user", id: subjectId = "principal.id" } = subject ?? {};
  const { type: resourceType = "path", id: resourceId = "request.path" } = resource ?? {};
  return objectOf({
    subject: objectOf({
      type: text(subjectType),
      id: binder.value(subjectId, true),
      properties: binder.values(subject?.properties),
    }),
    action: objectOf({
      name: binder.value(action?.name ?? "request.method", true),
      properties: binder.values(action?.properties),
    }),
    resource: objectOf({
      type: text(resourceType),
      id: binder.value(resourceId, true),
      properties: binder.values(resource?.properties),
    }),
    context: binder.values(context),
  });
}

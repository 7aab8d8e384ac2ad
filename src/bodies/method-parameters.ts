import { decodeLeniently } from "./form.ts";
import { foldName, namesRead } from "./names.ts";

/** Where services look for the parameter. */
export type ParameterSource = "query" | "cookie" | "form" | "multipart" | "json" | "json of any type";

/** One service that takes a request for another method where a parameter says so. */
export interface MethodReader {
  readonly who: string;
  /** As it stands in requests. */
  readonly parameter: string;
  readonly from: readonly ParameterSource[];
  /** Methods of requests in which it is looked for. */
  readonly of: string;
  /** Methods that it makes of them. */
  readonly to: string;
  readonly source: string;
}

const BODY = ["form", "multipart"] as const;

/**
 * Who reads a method from a parameter. docs/one-reading.md shows this table. `parameter` is the default of each; where a
 * service has another, the policy names it in `request.methodParameters`.
 */
export const METHOD_READERS: readonly MethodReader[] = [
  {
    who: "Rack::MethodOverride (Rails, Sinatra, Hanami)",
    parameter: "_method",
    from: BODY,
    of: "POST",
    to: "GET, HEAD, PUT, POST, DELETE, OPTIONS, PATCH, LINK, UNLINK",
    source: "https://github.com/rack/rack/blob/main/lib/rack/method_override.rb",
  },
  {
    who: "Symfony (http_method_override)",
    parameter: "_method",
    from: ["query", ...BODY],
    of: "POST",
    to: "any letters",
    source: "https://github.com/symfony/symfony/blob/7.3/src/Symfony/Component/HttpFoundation/Request.php",
  },
  {
    who: "Laravel, Lumen",
    parameter: "_method",
    from: ["query", ...BODY, "json"],
    of: "POST",
    to: "any letters",
    source: "https://laravel.com/docs/routing#form-method-spoofing",
  },
  {
    who: "Phoenix (Plug.MethodOverride)",
    parameter: "_method",
    from: [...BODY, "json"],
    of: "POST",
    to: "PUT, PATCH, DELETE",
    source: "https://hexdocs.pm/plug/Plug.MethodOverride.html",
  },
  {
    who: "Express (method-override)",
    parameter: "_method",
    from: ["query", ...BODY, "json"],
    of: "POST; any with `methods`",
    to: "all that Node knows",
    source: "https://www.npmjs.com/package/method-override",
  },
  {
    who: "Hono (method-override)",
    parameter: "_method",
    from: ["query", ...BODY],
    of: "any but GET",
    to: "any",
    source: "https://hono.dev/docs/middleware/builtin/method-override",
  },
  {
    who: "Spring (HiddenHttpMethodFilter), Grails",
    parameter: "_method",
    from: ["query", ...BODY],
    of: "POST",
    to: "PUT, DELETE, PATCH; any with Grails",
    source:
      "https://docs.spring.io/spring-framework/docs/current/javadoc-api/org/springframework/web/filter/HiddenHttpMethodFilter.html",
  },
  {
    who: "Slim (MethodOverrideMiddleware)",
    parameter: "_METHOD",
    from: [...BODY, "json"],
    of: "POST",
    to: "GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD",
    source: "https://github.com/slimphp/Slim/blob/4.x/Slim/Middleware/MethodOverrideMiddleware.php",
  },
  {
    who: "CakePHP, CodeIgniter 4, Yii 2",
    parameter: "_method",
    from: BODY,
    of: "POST",
    to: "any; with Yii not GET, HEAD, OPTIONS",
    source: "https://codeigniter4.github.io/userguide/incoming/methodspoofing.html",
  },
  {
    who: "Flight, and whoever reads $_REQUEST of PHP",
    parameter: "_method",
    from: ["query", "cookie", ...BODY],
    of: "any",
    to: "any",
    source: "https://docs.flightphp.com/en/v3/learn/requests",
  },
  {
    who: "WordPress (REST API)",
    parameter: "_method",
    from: ["query"],
    of: "any",
    to: "any",
    source: "https://developer.wordpress.org/rest-api/using-the-rest-api/global-parameters/#_method",
  },
  {
    who: "gorilla/handlers",
    parameter: "_method",
    from: ["query", ...BODY],
    of: "POST",
    to: "PUT, PATCH, DELETE",
    source: "https://pkg.go.dev/github.com/gorilla/handlers#HTTPMethodOverrideHandler",
  },
  {
    who: "Mojolicious, AdonisJS, trillium, wai-extra",
    parameter: "_method",
    from: ["query"],
    of: "POST",
    to: "any",
    source: "https://docs.mojolicious.org/Mojolicious/Guides/Routing#HTTP-methods",
  },
  {
    who: "REST::Utils",
    parameter: "_method",
    from: ["query"],
    of: "GET, POST",
    to: "GET and HEAD of GET, any of POST",
    source: "https://metacpan.org/pod/REST::Utils",
  },
  {
    who: "Plack::Middleware::MethodOverride, Catalyst",
    parameter: "x-tunneled-method",
    from: ["query", ...BODY],
    of: "POST",
    to: "GET, POST, HEAD, PUT, DELETE, OPTIONS, TRACE, CONNECT, PATCH",
    source: "https://metacpan.org/pod/Plack::Middleware::MethodOverride",
  },
  {
    who: "ASP.NET MVC (HttpMethodOverride)",
    parameter: "X-HTTP-Method-Override",
    from: ["query", ...BODY],
    of: "POST",
    to: "any but GET and POST",
    source: "https://learn.microsoft.com/previous-versions/aspnet/ee407388(v=vs.100)",
  },
  {
    who: "Parse Server",
    parameter: "_method",
    from: ["json of any type"],
    of: "POST",
    to: "any",
    source: "https://github.com/parse-community/parse-server/blob/alpha/src/middlewares.js (allowMethodOverride)",
  },
  {
    who: "Masonite",
    parameter: "__method",
    from: ["query", ...BODY],
    of: "POST",
    to: "any",
    source: "https://docs.masoniteproject.com/the-basics/requests",
  },
];

/** Where the policy says nothing. */
export const METHOD_PARAMETERS: readonly string[] = [
  ...new Set(METHOD_READERS.map(({ parameter }) => parameter.toLowerCase())),
];

/** A longer value is no method of anybody's. */
const METHOD_LENGTH_MAX = 32;

/** The method that a service may make of a parameter's value, or null for none: an empty one, and what is no word. */
export function methodOf(value: string): string | null {
  const nul = value.indexOf("\0");
  const word = (nul < 0 ? value : value.slice(0, nul)).trim().toUpperCase();
  return word.length <= METHOD_LENGTH_MAX && /^[A-Z][A-Z-]*$/.test(word) ? word : null;
}

/** The parameters from which the services behind a route may read a method. */
export class MethodParameters {
  readonly #names: ReadonlySet<string>;
  /** A run of letters of each name, each as it is or as an escape. */
  readonly #trace: RegExp;
  /** The same in JSON, as bytes. */
  readonly #jsonTraces: readonly Buffer[];
  /** Answers of `hasAnyOf`; the lists live as long as their schemas. */
  readonly #ofLists = new WeakMap<readonly string[], boolean>();

  /** `names` without case; at least one. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names.map(foldName));
    const runs = lettersOf(names);
    this.#trace = new RegExp(runs.map((run) => [...run].map(orEscaped).join("")).join("|"), "gi");
    this.#jsonTraces = ["\\u", ...runs, ...runs.map((run) => run.toUpperCase())].map((text) => Buffer.from(text));
  }

  /** Whether some service takes `name`, decoded, for one of them. */
  has(name: string): boolean {
    return namesRead(name).some((read) => this.#names.has(read));
  }

  /** The same of a list that many requests ask about. */
  hasAnyOf(names: readonly string[]): boolean {
    const known = this.#ofLists.get(names);
    if (known !== undefined) return known;
    const answer = names.some((name) => this.has(name));
    this.#ofLists.set(names, answer);
    return answer;
  }

  /** Whether one of them may stand in the text of a form or query; without a trace nothing else need be looked at. */
  mayBeIn(text: string): boolean {
    return this.traceIn(text, 0) >= 0;
  }

  /** Where from `from` on a trace of one of them is in the text of a form or query; -1 where none is. */
  traceIn(text: string, from: number): number {
    this.#trace.lastIndex = from;
    return this.#trace.exec(text)?.index ?? -1;
  }

  /** Whether one of them may stand in JSON. Whoever reads a method from JSON reads its name in lower or in upper case. */
  mayBeInJson(json: Buffer): boolean {
    return this.#jsonTraces.some((trace) => json.includes(trace));
  }

  /** Methods that services may read from a query without its `?`, or from a Cookie header, in upper case. */
  inPairs(text: string): readonly string[] {
    if (!this.mayBeIn(text)) return NONE;
    const methods: string[] = [];
    for (const pair of text.split(/[&;]/)) {
      const equals = pair.indexOf("=");
      if (equals < 0 || !this.has(decodeLeniently(pair.slice(0, equals)))) continue;
      const method = methodOf(decodeLeniently(pair.slice(equals + 1)));
      if (method !== null) methods.push(method);
    }
    return methods;
  }
}

const NONE: readonly string[] = [];

/** A letter, its escape, or that of ASP.NET, for an expression without case. */
function orEscaped(letter: string): string {
  const [lower, upper] = [letter, letter.toUpperCase()].map((one) => one.charCodeAt(0).toString(16));
  return `(?:${letter}|%(?:u00)?(?:${lower}|${upper}))`;
}

/** For each name its longest run of letters, in lower case, or one that another name has given already. */
function lettersOf(names: readonly string[]): readonly string[] {
  const runs: string[] = [];
  for (const name of names) {
    const own = (name.toLowerCase().match(/[a-z]+/g) ?? []).toSorted((a, b) => b.length - a.length);
    if (!own.some((run) => runs.includes(run))) runs.push(own[0] ?? ".");
  }
  return runs;
}

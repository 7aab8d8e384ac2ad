import type { LintRule } from "../../decision/lint-rule.ts";
import type { Place } from "../../decision/verdict.ts";
import type { Check } from "../../filters/filter.ts";
import { WITHOUT_BODY } from "../../message/method.ts";
import type { Route } from "../snapshot.ts";
import type { ItemId } from "./items.ts";

/** One question that an audit asks each route. */
export interface Criterion {
  readonly item: ItemId;
  /** What a route has that stands well, in words. */
  readonly text: string;
  /** It is a question for this route. */
  concerns(route: Route): boolean;
  /** Where what covers the route stands; empty for nowhere. `admit`: checks of every request. */
  covering(route: Route, admit: readonly Check[]): readonly Place[];
  /** What is said where nothing does; null where another rule tells it. */
  open(route: Route): { readonly rule: LintRule; readonly text: string } | null;
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "QUERY"]);

/** Its requests may change something. */
function writes({ methods }: Route): boolean {
  return methods.length === 0 || methods.some((method) => !READING.has(method));
}

function takesBodies({ methods }: Route): boolean {
  return methods.length === 0 || methods.some((method) => !WITHOUT_BODY.has(method) && method !== "DELETE");
}

function parametersOf({ template }: Route): string {
  return [...template.matchAll(/\{[^}]*\}/g)].map(([name]) => name).join(" and ");
}

function enforced(checks: readonly Check[], holds: (check: Check) => boolean): readonly Place[] {
  return checks.filter((check) => check.enforcePercent >= 100 && holds(check)).map(({ place }) => place);
}

function answers({ responseChecks }: Route, names: readonly string[]): readonly Place[] {
  return responseChecks
    .filter(({ name, enforcePercent }) => enforcePercent >= 100 && names.includes(name))
    .map(({ place }) => place);
}

const isAny = (): boolean => true;

/** Routes that postern answers itself are asked none of them. */
export const CRITERIA: readonly Criterion[] = [
  {
    item: "API1",
    text: "what is asked for is compared with who asks, or a decision service is asked",
    concerns: (route) => parametersOf(route) !== "",
    covering: ({ checks }) => enforced(checks, ({ name, tiesObject }) => tiesObject === true || name === "decide"),
    open: (route) =>
      route.isPublic
        ? { rule: "object_public", text: `${parametersOf(route)} of '${route.template}' is for everybody to ask for` }
        : {
            rule: "object_unchecked",
            text: `nothing compares ${parametersOf(route)} of '${route.template}' with the caller`,
          },
  },
  {
    item: "API2",
    text: "who calls is asked",
    concerns: (route) => !route.isPublic || writes(route),
    covering: ({ checks }) =>
      enforced(checks, ({ name, admitsAnyone }) => name === "authenticate" && admitsAnyone === false),
    open: (route) =>
      writes(route) && (route.isPublic || route.checks.some(({ admitsAnyone }) => admitsAnyone === true))
        ? { rule: "public_write", text: `everybody may change something by '${route.template}'` }
        : null,
  },
  {
    item: "API3",
    text: "bodies are held to a description",
    concerns: takesBodies,
    covering: ({ checks }) => enforced(checks, ({ judgesBody }) => judgesBody === true),
    open: ({ template }) => ({ rule: "body_unchecked", text: `nothing says what bodies of '${template}' may hold` }),
  },
  {
    item: "API3",
    text: "answers are held to a description, or fields come off",
    concerns: isAny,
    covering: (route) => answers(route, ["fields", "mask", "leaks", "validate"]),
    open: ({ template }) => ({ rule: "answer_unchecked", text: `nothing says what answers of '${template}' may hold` }),
  },
  {
    item: "API4",
    text: "requests are limited",
    concerns: isAny,
    covering: ({ checks }, admit) => enforced([...admit, ...checks], ({ name }) => name === "limit"),
    open: () => null,
  },
  {
    item: "API5",
    text: "rules say which callers may",
    concerns: ({ isPublic }) => !isPublic,
    covering: ({ checks }) => enforced(checks, ({ name }) => name === "authorize" || name === "decide"),
    open: (route) =>
      writes(route)
        ? { rule: "function_unchecked", text: `every known caller may do what '${route.template}' does` }
        : { rule: "read_unchecked", text: `every known caller may read '${route.template}'` },
  },
  {
    item: "API6",
    text: "what one caller does is limited",
    concerns: writes,
    covering: ({ checks }) => enforced(checks, ({ name, phase }) => name === "limit" && phase === "limit"),
    open: ({ template }) => ({
      rule: "caller_unlimited",
      text: `nothing limits how often one caller may do '${template}'`,
    }),
  },
  {
    item: "API7",
    text: "what clients send is held to a description, or searched by rules",
    concerns: takesBodies,
    covering: ({ checks }) => enforced(checks, ({ name, judgesBody }) => judgesBody === true || name === "detect"),
    open: ({ template }) => ({ rule: "url_unchecked", text: `nothing looks at what clients send to '${template}'` }),
  },
  {
    item: "API8",
    text: "pages of named origins alone may read answers",
    concerns: ({ cors }) => cors !== null,
    covering: ({ cors }) => (cors === null || cors.origins.hasAny ? [] : [cors.place]),
    open: ({ template }) => ({
      rule: "cors_any_origin",
      text: `pages of any origin may read what '${template}' answers`,
    }),
  },
  {
    item: "API9",
    text: "the path is one of a list",
    concerns: isAny,
    covering: ({ template, place }) => (template.endsWith("**") ? [] : [place]),
    open: ({ template }) => ({ rule: "path_open", text: `'${template}' reaches whatever the service has there` }),
  },
  {
    item: "API9",
    text: "methods are named",
    concerns: isAny,
    covering: ({ methods, place }) => (methods.length === 0 ? [] : [place]),
    open: ({ template }) => ({ rule: "methods_open", text: `'${template}' takes every usual method` }),
  },
  {
    item: "API10",
    text: "answers are held to a description",
    concerns: isAny,
    covering: (route) => answers(route, ["validate"]),
    open: ({ template }) => ({
      rule: "answer_unjudged",
      text: `what '${template}' answers goes to clients without being held to a description`,
    }),
  },
];

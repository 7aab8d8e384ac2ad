import { normalize } from "node:path/posix";
import { parseTemplate, shapeOf } from "../../matching/template.ts";
import { type DescribedApi, readApi } from "../../protobuf/api.ts";
import type { MethodType, ServiceType } from "../../protobuf/types.ts";
import type { Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import type { Steps } from "../../support/turns.ts";
import type { Fields } from "../entries.ts";
import { withRoutes } from "../openapi/composed.ts";
import { routeKey } from "../openapi/entries.ts";
import { isMapping, overlayKeys, RouteEntry } from "../openapi/entry.ts";
import { joinRoutes, OWN_KEYS } from "../openapi/overrides.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";
import { grpcSectionShape } from "./section.ts";

type Settings = Fields<typeof grpcSectionShape>;

/** A method as a route; one that Connect may call by GET is two. */
interface MethodEntry {
  /** `orders.v1.Orders/Create`. */
  readonly name: string;
  readonly service: string;
  readonly entry: RouteEntry;
  readonly template: string;
  readonly key: string;
}

/** What `validate.grpc` of each route says as the section does. */
const CALL_KEYS = ["protocols", "unknownFields", "maxMessageBytes", "compression", "rules"] as const;

/** Section `grpc`: from here on the policy has its methods among its routes. */
export function* compileGrpcSection(work: Work): Steps<void> {
  const { reader } = work;
  const entries: MethodEntry[] = [];
  const others: RouteEntry[] = [];
  const count = reader.listLength(["grpc"]);
  for (let at = 0; at < count && !work.problems.isFull; at++) yield* compileEntry(work, ["grpc", at], entries, others);
  if (count === 0) return;
  const routes = joinRoutes(work, entries);
  work.open(withRoutes(reader.document, [...routes, ...others], ["grpc"]));
}

function* compileEntry(work: Work, path: Path, entries: MethodEntry[], others: RouteEntry[]): Steps<void> {
  const settings = work.reader.fields(grpcSectionShape, path);
  if (settings.file === undefined) return;
  const content = work.readFile(normalize(settings.file), [...path, "file"]);
  if (content === null) return;
  const read = yield* work.kept.get<Result<DescribedApi, string>>("grpc", [content], () =>
    readApi(content, work.inputs.clock),
  );
  if (read === null) return;
  if (!read.ok) {
    work.problem(`'${settings.file}' ${read.error}`, [...path, "file"]);
    return;
  }
  const services = servicesOf(work, settings, read.value, path);
  const own: MethodEntry[] = [];
  for (const service of services) {
    for (const method of service.methods) own.push(...entriesOf(work, service, method, settings, path));
    others.push(...undeclaredRoute(work, service, settings, path));
    yield;
  }
  overrideMethods(work, path, own);
  checkAccess(work, own, settings, path);
  entries.push(...own);
}

function servicesOf(work: Work, { services, file }: Settings, api: DescribedApi, path: Path): readonly ServiceType[] {
  if (services === undefined) {
    if (api.services.size === 0) work.problem(`'${file}' has no services`, [...path, "file"]);
    return [...api.services.values()];
  }
  return services.flatMap((name, at) => {
    const service = api.services.get(name);
    if (service !== undefined) return [service];
    const hint = nearestHint(name, [...api.services.keys()]);
    work.problem(`'${file}' has no service '${name}'; ${hint}`, [...path, "services", at]);
    return [];
  });
}

function entriesOf(
  work: Work,
  service: ServiceType,
  method: MethodType,
  settings: Settings,
  path: Path,
): readonly MethodEntry[] {
  const template = parseTemplate(method.path);
  if (!template.ok) return [];
  const isGettable = method.hasNoSideEffects && settings.protocols?.includes("connect") === true;
  return ["POST", ...(isGettable ? ["GET"] : [])].map((verb) => {
    const entry = entryAt(work, method.path, settings, path);
    const at =
      (...keys: readonly string[]) =>
      () =>
        work.reader.document.place([...path, ...keys]);
    entry.set(["methods"], [verb], at());
    entry.set(["validate", "grpc", "file"], settings.file, at("file"));
    entry.placeAt(["validate"], at());
    entry.placeAt(["validate", "grpc"], at());
    for (const key of CALL_KEYS) {
      const value = work.reader.raw([...path, key]);
      if (settings[key] !== undefined) entry.set(["validate", "grpc", key], value, at(key));
    }
    const name = method.path.slice(1);
    const key = routeKey(shapeOf(template.value), verb, settings.version);
    return { name, service: service.name, entry, template: method.path, key };
  });
}

/** A route with what the section says of who may call, and where the call goes. */
function entryAt(work: Work, template: string, settings: Settings, path: Path): RouteEntry {
  const place = (...keys: readonly (string | number)[]) => work.reader.document.place([...path, ...keys]);
  const entry = new RouteEntry(place());
  entry.set(["path"], template, () => place());
  const { version, authenticate, public: isPublic, upstream } = settings;
  if (version !== undefined) entry.set(["version"], version, () => place("version"));
  const names = typeof authenticate === "string" ? [authenticate] : authenticate;
  if (names !== undefined) entry.set(["authenticate"], names, () => place("authenticate"));
  if (isPublic !== undefined) entry.set(["public"], isPublic, () => place("public"));
  if (upstream !== undefined) entry.set(["upstream"], upstream, () => place("upstream"));
  return entry;
}

/** For calls of methods that the service does not have, which a broader route might take. */
function undeclaredRoute(work: Work, service: ServiceType, settings: Settings, path: Path): readonly RouteEntry[] {
  const template = `/${service.name}/**`;
  const written: unknown = work.reader.raw(["routes"]);
  const isTaken = Array.isArray(written) && written.some((route) => isMapping(route) && route["path"] === template);
  if (settings.undeclared === "ignore" || isTaken) return [];
  const entry = entryAt(work, template, settings, path);
  const place = () => work.reader.document.place([...path, "undeclared"]);
  if (settings.undeclared === "audit") entry.set(["undeclared"], "audit", place);
  else {
    entry.remove("authenticate");
    entry.set(["undeclared"], "enforce", place);
    entry.set(["public"], true, place);
  }
  return [entry];
}

/** Lays the keys of `methods` over the entries that they name: those of a service first. */
function overrideMethods(work: Work, section: Path, entries: readonly MethodEntry[]): void {
  const written = work.reader.raw([...section, "methods"]);
  if (!isMapping(written)) return;
  const names = new Set(entries.flatMap(({ name, service }) => [service, name]));
  const sorted = Object.entries(written).sort(([a], [b]) => Number(a.includes("/")) - Number(b.includes("/")));
  for (const [name, keys] of sorted) {
    const path = [...section, "methods", name];
    if (!names.has(name)) {
      work.reader.keyProblem(`the section has no method '${name}'; ${nearestHint(name, [...names])}`, path);
      continue;
    }
    if (!isMapping(keys)) continue;
    for (const key of OWN_KEYS) {
      if (Object.hasOwn(keys, key)) work.reader.keyProblem(`'${key}' is what the descriptor says`, [...path, key]);
    }
    const own = Object.fromEntries(Object.entries(keys).filter(([key]) => !OWN_KEYS.includes(key)));
    const { document } = work.reader;
    for (const one of entries) {
      if (one.name === name || one.service === name)
        overlayKeys(one.entry, own, (rest) => document.place([...path, ...rest]));
    }
  }
}

/** Told once for the section, and not once for each of its methods. */
function checkAccess(work: Work, entries: readonly MethodEntry[], { file }: Settings, path: Path): void {
  if (work.reader.raw(["defaults", "authenticate"]) !== undefined) return;
  const open = entries.filter(
    ({ entry: { value } }) => value["authenticate"] === undefined && value["public"] === undefined,
  );
  const [first] = open;
  if (first === undefined) return;
  const more = open.length > 1 ? ` and ${open.length - 1} more` : "";
  const text = `nothing says who may call ${first.name}${more} of '${file}'; expected 'authenticate' or 'public: true' here, or in 'methods'`;
  work.problem(text, path);
  for (const { entry } of open) entry.set(["public"], true, () => work.reader.document.place(path));
}

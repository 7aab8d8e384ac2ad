import { hash } from "node:crypto";
import { normalize } from "node:path/posix";
import type { Place } from "../../decision/verdict.ts";
import { type DescriptionPlace, type ReadDescription, readDescription } from "../../openapi/description.ts";
import { OPENING_EXTENSIONS } from "../../openapi/extensions.ts";
import { Findings, type Loose, placeText } from "../../openapi/findings.ts";
import type { Operation } from "../../openapi/operation.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { DEFAULTS_KEY } from "../compile-defaults.ts";
import type { Fields } from "../entries.ts";
import type { Path } from "../path.ts";
import { schemaNames } from "../schema-names.ts";
import type { Work } from "../work.ts";
import { withRoutes } from "./composed.ts";
import { type DescribedVersion, entriesOf, type OperationEntry } from "./entries.ts";
import { placeOf, type RouteEntry } from "./entry.ts";
import { USUAL_LOWERING } from "./lowering.ts";
import { joinRoutes, overrideOperations } from "./overrides.ts";
import { mappingFaults, type SchemeMapping } from "./schemes.ts";
import { openapiShape } from "./section.ts";
import { undeclaredRoutes } from "./undeclared.ts";

type Settings = Fields<typeof openapiShape>;

/** Section `openapi`: from here on the policy has its operations among its routes. */
export function* compileOpenapi(work: Work): Steps<void> {
  const { reader } = work;
  const entries: OperationEntry[] = [];
  const others: RouteEntry[] = [];
  const count = reader.listLength(["openapi"]);
  for (let at = 0; at < count && !work.problems.isFull; at++)
    yield* compileSection(work, ["openapi", at], entries, others);
  const routes = joinRoutes(work, entries);
  for (const { entry, fault } of entries) {
    const { value } = entry;
    if (fault === null || value["authenticate"] !== undefined || value["public"] !== undefined) continue;
    work.problems.add(placeOf(fault.place, ""), fault.text);
    // It is told; that the route says nothing needs no second telling.
    entry.set(["public"], true, () => placeOf(fault.place, ""));
  }
  yield* openNamed(work);
  if (count === 0) return;
  work.open(withRoutes(reader.document, [...routes, ...others], ["openapi"]));
}

/** Documents of which a route names a schema, whatever else they describe. */
function* openNamed(work: Work): Steps<void> {
  const count = work.reader.listLength(["routes"]);
  const tried = new Set<string>();
  for (let at = -1; at < count; at++) {
    const path: Path = at < 0 ? [DEFAULTS_KEY] : ["routes", at];
    for (const [named, name] of schemaNames(work.reader, path)) {
      const file = normalize(name.slice(0, name.indexOf("#")));
      if (tried.has(file) || work.descriptions.some((library) => library.has(file))) continue;
      tried.add(file);
      const read = yield* readKept(work, { file, root: null, overlays: [] }, named, named);
      for (const { place, text } of read?.findings.problems ?? []) work.problems.add(placeOf(place, ""), text);
      if (read?.description) work.descriptions.push(read.description.library);
    }
  }
}

function* compileSection(work: Work, path: Path, entries: OperationEntry[], others: RouteEntry[]): Steps<void> {
  const settings = work.reader.fields(openapiShape, path);
  if (settings.file === undefined) return;
  const read = yield* readKept(work, placeIn(settings, settings.file), path);
  if (read === null) return;
  const { description } = read;
  if (description === null) {
    report(work, read.findings, settings, path);
    return;
  }
  const mapping = mappingOf(work, settings);
  for (const { key, at, text } of mappingFaults(mapping, description.schemes)) {
    const place = [...path, "authenticate", key];
    if (at === null && !mapping.authenticators.has(key)) work.reader.keyProblem(text, place);
    else work.problem(text, at === null ? place : [...place, at]);
  }
  const isPublic = settings.public === true;
  const rules = {
    schemes: description.schemes,
    mapping,
    isPublic,
    hasDefault: work.reader.raw(["defaults", "authenticate"]) !== undefined,
    hasDefaultCors: work.reader.raw(["defaults", "cors"]) !== undefined,
    extensions: settings.extensions ?? [],
    bases: basesOf(settings),
    version: versionOf(work, settings, path),
    lowering: {
      requests: {
        readOnly: settings.readOnly ?? USUAL_LOWERING.requests.readOnly,
        undeclared: settings.undeclaredProperties ?? USUAL_LOWERING.requests.undeclared,
      },
      undeclaredParameters: settings.undeclaredParameters ?? USUAL_LOWERING.undeclaredParameters,
      answers: settings.answers ?? USUAL_LOWERING.answers,
    },
  };
  const findings = new Findings();
  const own = yield* entriesOf(description, rules, findings);
  // Answers are read by whoever asks for them.
  report(work, read.findings, settings, path);
  report(work, findings, settings, path);
  warnOfOpening(work, description.operations, rules.extensions, path);
  work.descriptions.push(description.library);
  overrideOperations(work, path, own);
  const mode = settings.undeclared ?? "refuse";
  others.push(...undeclaredRoutes(work, description, own, { ...rules, mode, mapping }));
  if (own.length === 0)
    work.warning("description_not_enforced", `'${settings.file}' has no operation that a request could take`, [
      ...path,
      "file",
    ]);
  entries.push(...own);
}

/** Who moves here from another gateway finds operations closed that were open there. */
function warnOfOpening(work: Work, operations: readonly Operation[], named: readonly string[], path: Path): void {
  for (const name of OPENING_EXTENSIONS) {
    const closed = operations.filter(({ extensions }) => extensions.opening?.name === name && !named.includes(name));
    const [first] = closed;
    if (first?.extensions.opening == null) continue;
    const where = `${closed.length === 1 ? "" : `${closed.length} operations, first `}${placeText(first.extensions.opening.place)}`;
    const text = `'${name}' opens nothing here (${where}); 'extensions: [${name}]' lets it`;
    work.warning("description_closes", text, [...path, "file"]);
  }
}

function versionOf({ reader }: Work, { version }: Settings, path: Path): DescribedVersion | undefined {
  if (version === undefined) return undefined;
  return { names: version, place: reader.document.place([...path, "version"]) };
}

function placeIn({ overlay, root }: Settings, file: string): DescriptionPlace {
  const overlays = overlay === undefined ? [] : typeof overlay === "string" ? [overlay] : overlay;
  return {
    file: normalize(file),
    root: root === undefined ? null : normalize(root).replace(/(.)\/$/, "$1"),
    overlays: overlays.map((one) => normalize(one)),
  };
}

/** Without a slash at the end. */
function basesOf({ basePath }: Settings): readonly string[] | null {
  if (basePath === undefined) return null;
  return (typeof basePath === "string" ? [basePath] : basePath).map((base) => base.replace(/\/$/, ""));
}

function mappingOf({ reader }: Work, { authenticate = {} }: Settings): SchemeMapping {
  const types = reader.names(["authenticators"]).map((name) => {
    return [name, reader.raw(["authenticators", name, "type"])] as const;
  });
  return { written: authenticate, authenticators: new Map(types) };
}

/** A description with the files that it was made of, for the next policy. */
interface KeptDescription extends ReadDescription {
  /** Name relative to the policy → SHA-256; null for a file that was not there. */
  readonly sources: ReadonlyMap<string, string | null>;
}

/** What the last policy read, where all its files are as they were. */
function* readKept(
  work: Work,
  place: DescriptionPlace,
  path: Path,
  named: Path = [...path, "file"],
): Steps<ReadDescription | null> {
  const main = work.readFile(place.file, named);
  const overlays = place.overlays.map((name) => work.readFile(name, [...path, "overlay"]));
  if (main === null || overlays.includes(null)) return null;
  const read = (name: string): Buffer | null => {
    const content = work.files.read(name, named);
    return content.ok ? content.value : null;
  };
  const make = function* (): Steps<KeptDescription> {
    const sources = new Map<string, string | null>();
    const noted = (name: string): Buffer | null => {
      const content = read(name);
      sources.set(name, digestOf(content));
      return content;
    };
    return { ...(yield* readDescription(place, noted)), sources };
  };
  const inputs = [JSON.stringify(place), main];
  const kept = yield* work.kept.get("openapi", inputs, make);
  if (kept === null) return null;
  const contents = [...kept.sources.keys()].map((name) => digestOf(read(name)));
  if ([...kept.sources.values()].every((digest, at) => digest === contents[at])) return kept;
  return yield* work.kept.get("openapi", [...inputs, ...contents.map(String)], make);
}

function digestOf(content: Buffer | null): string | null {
  return content === null ? null : hash("sha256", content);
}

/** Everything at its own line of the description; what is not enforced in one line of the policy. */
function report(work: Work, findings: Findings, { strict, file = "" }: Settings, path: Path): void {
  for (const { place, text } of findings.problems) work.problems.add(placeOf(place, ""), text);
  const tell = (place: Place, text: string): void =>
    strict === true ? work.problems.add(place, text) : work.warnings.add("description_not_enforced", place, text);
  for (const { place, text } of findings.warnings) tell(placeOf(place, ""), text);
  const { unenforced, extensions } = findings;
  if (extensions.length > 0) {
    work.warning(
      "description_not_enforced",
      `'${file}': extensions that mean nothing here: ${looseWords(extensions)}`,
      [...path, "file"],
    );
  }
  if (unenforced.length === 0) return;
  const text = `'${file}': not enforced: ${looseWords(unenforced)}`;
  tell(work.reader.document.place([...path, "file"]), text);
}

function looseWords(unenforced: readonly Loose[]): string {
  const named = unenforced.slice(0, DEFAULTS.openapiNamedMax).map(({ what, place, count }) => {
    return `${what} (${count === 1 ? "" : `${count} times, first `}${placeText(place)})`;
  });
  const more = unenforced.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

import { basename, dirname, relative } from "node:path/posix";
import { type CompiledSchema, compileSchema } from "../schema/compile.ts";
import type { Dialect } from "../schema/dialect.ts";
import type { SchemaPlace, SchemaProblem } from "../schema/document.ts";
import { type View, viewKey } from "../schema/requests.ts";
import type { Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { DescriptionFiles, type ReadNamed } from "./files.ts";
import { Findings } from "./findings.ts";
import { type Reading, schemaAt } from "./media.ts";
import type { Operation, SchemaReference, SecurityScheme } from "./operation.ts";
import { readOperations } from "./operations.ts";
import { overlaid } from "./overlay.ts";
import { schemesOf } from "./security.ts";
import { noteSlips } from "./slips.ts";
import type { SourceDocument } from "./source.ts";
import { References, Spot } from "./spot.ts";
import { dialectIn, type Version, versionOf } from "./versions.ts";

/** Where a description is found. Names are relative to the policy. */
export interface DescriptionPlace {
  readonly file: string;
  /** Folder out of which no reference leads; the document's own if null. */
  readonly root: string | null;
  /** Overlay files, in the order in which they apply. */
  readonly overlays: readonly string[];
}

/** An API's description, read. Its schemas stay where they are. */
export interface Description {
  readonly file: string;
  readonly version: Version;
  readonly dialect: Dialect;
  readonly title: string | null;
  readonly operations: readonly Operation[];
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
  readonly root: Spot;
  /** Where `paths` stands. */
  readonly pathsPlace: SchemaPlace;
  /** Names of all files that it is made of. */
  readonly files: readonly string[];
  readonly library: SchemaLibrary;
  /** For whoever reads on. */
  readonly reading: Reading;
}

export interface ReadDescription {
  /** Null where it has problems, or is none. */
  readonly description: Description | null;
  readonly findings: Findings;
}

/** A document with its references and Overlays → what it describes. Never throws for what may stand in files. */
export function* readDescription(place: DescriptionPlace, read: ReadNamed): Steps<ReadDescription> {
  const findings = new Findings();
  const folder = place.root ?? dirname(place.file);
  const files = new DescriptionFiles(folder, read, findings);
  const none = { description: null, findings };
  const inner = place.root === null ? basename(place.file) : relative(folder, place.file);
  if (inner === "" || inner.startsWith("../")) {
    findings.problem({ file: place.file, line: 1, column: 1 }, `does not lie below 'root', which is '${folder}'`);
    return none;
  }
  const own = yield* files.open(files.uriOf(inner));
  if (own === null) return none;
  const version = versionOf(Spot.root(own), findings);
  if (version === null) return none;
  const changed = yield* withOverlays(own, place.overlays, read, findings);
  if (changed !== own) yield* files.complete(changed);
  const dialect = dialectIn(Spot.root(changed), version, findings);
  const document = files.settle(changed, dialect);
  const root = Spot.root(document);
  const reading = { references: new References(files, findings), findings };
  const operations = yield* readOperations(root, version, reading);
  yield* noteSlips(root, version, findings);
  if (findings.problems.length > 0) return none;
  const description: Description = {
    file: place.file,
    version,
    dialect,
    title: root.at("info")?.text("title") ?? null,
    operations,
    schemes: schemesOf(root, reading),
    root,
    pathsPlace: root.at("paths")?.place ?? root.place,
    files: files.names,
    library: new SchemaLibrary(files, dialect),
    reading,
  };
  return { description, findings };
}

function* withOverlays(
  document: SourceDocument,
  overlays: readonly string[],
  read: ReadNamed,
  findings: Findings,
): Steps<SourceDocument> {
  let changed = document;
  for (const name of overlays) {
    const files = new DescriptionFiles(dirname(name), read, findings);
    const overlay = yield* files.open(files.uriOf(basename(name)));
    if (overlay !== null) changed = overlaid(changed, overlay, findings);
    yield;
  }
  return changed;
}

/** Compiled schemas of a description, each once. */
export class SchemaLibrary {
  readonly #files: DescriptionFiles;
  readonly #dialect: Dialect;
  readonly #compiled = new Map<string, Result<CompiledSchema, readonly SchemaProblem[]>>();

  constructor(files: DescriptionFiles, dialect: Dialect) {
    this.#files = files;
    this.#dialect = dialect;
  }

  /** See `CompileOptions`. */
  compile(
    { document, pointer }: SchemaReference,
    refusesOtherCase: boolean,
    view: View | null = null,
  ): Result<CompiledSchema, readonly SchemaProblem[]> {
    const key = `${document.uri}#${pointer} ${refusesOtherCase} ${viewKey(view)}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const options = {
      dialect: this.#dialect,
      assertsFormat: true,
      takesUnknownKeywords: true,
      refusesOtherCase,
      view,
      retrieve: (uri: string) => this.#files.retrieve(uri),
    };
    const compiled = compileSchema(document, options, pointer);
    this.#compiled.set(key, compiled);
    return compiled;
  }

  /** Whether the file, by its name relative to the policy, is one of the description's. */
  has(file: string): boolean {
    return this.#files.named(file) !== null;
  }

  /** The schema at `reference`, through references on the way to it, as in `common.yaml#/components/schemas/Order`, of a file by its name relative to the policy. */
  find(file: string, pointer: string): SchemaReference | null {
    const document = this.#files.named(file);
    if (document === null) return null;
    const findings = new Findings();
    const references = new References(this.#files, findings);
    let spot: Spot | null = Spot.root(document);
    for (const token of pointer.split("/").slice(1)) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      spot = spot === null ? null : references.follow(spot, "");
      spot = spot?.at(Array.isArray(spot.value) ? Number(key) : key) ?? null;
    }
    return spot === null ? null : schemaAt(spot, { references, findings });
  }
}

import { dirname, isAbsolute, join, matchesGlob, normalize } from "node:path/posix";
import { DEFAULTS } from "../support/defaults.ts";
import { unknownKey } from "../support/schema.ts";
import type { Steps } from "../support/turns.ts";
import { DEFINING } from "./compile-sections.ts";
import { type PolicyDocument, parseDocument } from "./document.ts";
import { isMapping, JOINED_LISTS, JOINED_MAPPINGS, JoinedDocument, type Twice } from "./joined.ts";
import type { Path } from "./path.ts";
import { lineWords } from "./problems.ts";
import { ANCHORS_PREFIX, SECTIONS, versionSchema } from "./schema.ts";
import { includeSchema } from "./section-schema.ts";
import type { Problem } from "./snapshot.ts";
import type { Work } from "./work.ts";

/** Section `include`: from here on the policy is what stands in all its files. */
export function* joinIncluded(work: Work): Steps<void> {
  const { reader } = work;
  const entries = reader.read(includeSchema, reader.raw(["include"]), ["include"]);
  if (entries === undefined) return;
  const isList = Array.isArray(entries);
  const found = new Map<string, Path>();
  for (const [at, entry] of (isList ? entries : [entries]).entries()) {
    const path: Path = isList ? ["include", at] : ["include"];
    for (const name of namesOf(work, entry, path)) if (!found.has(name)) found.set(name, path);
    if (found.size <= DEFAULTS.includedFilesMax) continue;
    work.problem(`more than ${DEFAULTS.includedFilesMax} files are included`, path);
    return;
  }
  work.included = Array.from(found.keys(), (name) => work.files.absoluteName(name));
  const documents: PolicyDocument[] = [];
  let bytes = 0;
  for (const [name, path] of found) {
    yield;
    const content = work.readIncluded(name, path);
    if (content === null) {
      leaveOpen(work);
      continue;
    }
    bytes += content.length;
    if (bytes > DEFAULTS.policyBytesMax) {
      work.problem(`the included files are larger than ${DEFAULTS.policyBytesMax} bytes together`, path);
      return;
    }
    const document = yield* readIncluded(work, shownName(work, name), content);
    if (document !== null) documents.push(document);
  }
  const joined = new JoinedDocument(reader.document, documents);
  for (const twice of joined.twice) reportTwice(work, twice);
  work.open(joined);
}

/** The files that one entry of `include` means, by name; a problem or a warning where it means none. */
function namesOf(work: Work, entry: string, path: Path): readonly string[] {
  const name = normalize(entry);
  const folder = dirname(name);
  const pattern = name.slice(folder === "." || folder === "/" ? name.lastIndexOf("/") + 1 : folder.length + 1);
  if (/[*?]/.test(folder) || /[[\]{}!]|\*\*/.test(pattern)) {
    work.problem("expected '*' and '?' in the last part of the name alone, as in routes/*.yaml", path);
    return [];
  }
  const isPolicy = (one: string): boolean => work.files.absoluteName(one) === work.files.absolute;
  if (!/[*?]/.test(pattern)) {
    if (!isPolicy(name)) return [name];
    work.problem("the policy includes itself; expected another file", path);
    return [];
  }
  const all = work.readFolder(folder, path);
  if (all === null) {
    leaveOpen(work);
    return [];
  }
  const matching = all.map(normalize).filter((one) => matchesGlob(one.slice(one.lastIndexOf("/") + 1), pattern));
  // Who writes *.yaml means neither the policy itself nor the files of tests beside it.
  const names = matching.filter((one) => !isPolicy(one) && !/\.test\.ya?ml$/.test(one));
  if (names.length === 0) work.warning("no_effect", "no file matches, so nothing is included", path);
  return names;
}

/** A part of the policy is not here: what it defines, and what it uses, nobody can say. */
function leaveOpen(work: Work): void {
  work.isOpen = true;
  for (const section of DEFINING) work[section].isOpen = true;
}

/** As its reader finds it from where the policy was named. */
export function shownName(work: Work, name: string): string {
  return isAbsolute(name) ? name : join(dirname(work.file), name);
}

const KNOWN: readonly string[] = ["version", ...JOINED_LISTS, ...JOINED_MAPPINGS];

/** An included file with what is wrong with its form told; null where there is nothing to read in it. */
function* readIncluded(work: Work, file: string, content: Buffer): Steps<PolicyDocument | null> {
  const report = ({ place, text }: Problem): void => work.problems.add(place, text);
  const document = yield* parseDocument(file, content, report, INCLUDED, work.resolveText);
  if (document === null) return null;
  const problem = (text: string, path: Path): void => work.problems.add(document.place(path), text);
  const { value } = document;
  if (!isMapping(value)) {
    problem("expected a mapping", []);
    return null;
  }
  for (const [key, section] of Object.entries(value)) {
    const isList = JOINED_LISTS.some((one) => one === key);
    if (key.startsWith(ANCHORS_PREFIX)) continue;
    if (!KNOWN.includes(key)) work.problems.add(document.keyPlace([key]), strangeKey(key));
    else if (key === "version") {
      if (!versionSchema.safeParse(section).success) problem("expected 1, the version of the policy language", [key]);
    } else if (!(isList ? Array.isArray(section) : isMapping(section)))
      problem(`expected a ${isList ? "list" : "mapping"}`, [key]);
  }
  return document;
}

const INCLUDED = { what: "the file", isEmpty: "the file is empty; expected sections of a policy, as 'routes'" };

function strangeKey(key: string): string {
  if (key === "include") return "an included file includes no others; expected them in the policy's own 'include'";
  if (key !== "service" && !SECTIONS.includes(key)) return unknownKey(key, KNOWN);
  return `'${key}' does not stand in an included file; expected it in the policy itself`;
}

function reportTwice(work: Work, { section, name, first, second }: Twice): void {
  const place = second.keyPlace([section, name]);
  const there = lineWords(first.keyPlace([section, name]), place);
  work.problems.add(place, `'${name}' of '${section}' is defined at ${there} too; expected it once`);
}

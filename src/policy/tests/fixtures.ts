import * as z from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Result } from "../../support/result.ts";
import { nearestHint, object } from "../../support/schema.ts";
import type { Steps } from "../../support/turns.ts";
import { fileName } from "../certificate-schema.ts";
import type { Concealed } from "../concealed.ts";
import { type PolicyDocument, parseDocument } from "../document.ts";
import { EntryReader } from "../entries.ts";
import type { Path } from "../path.ts";
import type { ProblemList } from "../problems.ts";
import type { References } from "../references.ts";
import { nameSchema } from "../schema.ts";
import type { Problem } from "../snapshot.ts";
import { merged } from "./merged.ts";
import {
  type AnswerEntry,
  ownAnswerSchema,
  ownIdentitySchema,
  ownRequestSchema,
  type RequestEntry,
  type TestAnswer,
  type TestIdentity,
  type TestRequest,
} from "./request-section.ts";

const ownShape = {
  requests: z.record(nameSchema, ownRequestSchema).optional().describe("Name → request."),
  identities: z.record(nameSchema, ownIdentitySchema).optional().describe("Name → who asks."),
  bodies: z
    .record(nameSchema, z.unknown())
    .optional()
    .describe("Name → body: a text as it is; anything else is sent as JSON."),
  answers: z.record(nameSchema, ownAnswerSchema).optional().describe("Name → answer of the service."),
};

const fixturesShape = {
  files: z
    .array(fileName)
    .max(DEFAULTS.testFilesMax)
    .optional()
    .describe("Files of more of them: mappings with the same keys, but this one."),
  ...ownShape,
};

/** Section `fixtures`, of a policy and of a file of tests. */
export const fixturesSchema: z.ZodType = object(fixturesShape).describe(
  "Requests, identities, bodies and answers that tests name.",
);

/** Reads a file by the name that a policy, or a file of tests, has for it; `path`: where that stands. */
export type ReadNamed = (name: string, path: Path) => Result<Buffer, string>;

type Kind = "request" | "identity" | "body" | "answer";

const SECTIONS: Readonly<Record<Kind, string>> = {
  request: "requests",
  identity: "identities",
  body: "bodies",
  answer: "answers",
};

/** What tests name in place of writing it once more. A name that is not there is a problem where it stands. */
export class Fixtures {
  readonly #byKind: Readonly<Record<Kind, Map<string, unknown>>> = {
    request: new Map(),
    identity: new Map(),
    body: new Map(),
    answer: new Map(),
  };

  request(entry: RequestEntry, reader: EntryReader, path: Path): TestRequest {
    if (typeof entry === "string")
      return /^[/*]/.test(entry) ? { path: entry } : (this.#named<TestRequest>("request", entry, reader, path) ?? {});
    const { like, ...own } = entry;
    const request = this.#withBody(own, reader, path);
    if (like === undefined) return request;
    return merged(this.#named<TestRequest>("request", like, reader, [...path, "like"]) ?? {}, request);
  }

  answer(entry: AnswerEntry, reader: EntryReader, path: Path): TestAnswer {
    if (typeof entry === "string") return this.#named<TestAnswer>("answer", entry, reader, path) ?? {};
    const { like, ...own } = entry;
    const answer = this.#withBody(own, reader, path);
    if (like === undefined) return answer;
    return merged(this.#named<TestAnswer>("answer", like, reader, [...path, "like"]) ?? {}, answer);
  }

  identity(entry: string | Exclude<TestIdentity, "nobody">, reader: EntryReader, path: Path): TestIdentity {
    if (typeof entry !== "string") return entry;
    return entry === "nobody" ? entry : (this.#named<TestIdentity>("identity", entry, reader, path) ?? "nobody");
  }

  /** Those of one document; bodies first, which the others may name. */
  *add(reader: EntryReader, path: Path, shape: Partial<typeof fixturesShape>): Steps<readonly string[]> {
    const fields = reader.fields(shape, path) as { readonly [K in keyof typeof fixturesShape]?: unknown };
    for (const kind of ["body", "identity", "request", "answer"] as const) {
      for (const [name, value] of Object.entries((fields[SECTIONS[kind] as keyof typeof fields] ?? {}) as object)) {
        yield;
        const at = [...path, SECTIONS[kind], name];
        const known = this.#byKind[kind];
        if (known.has(name)) reader.keyProblem(`the fixtures have this ${kind} already`, at);
        const isBodied = kind === "request" || kind === "answer";
        known.set(name, isBodied ? this.#withBody(value as { bodyOf?: string }, reader, at) : value);
      }
    }
    return (fields.files ?? []) as readonly string[];
  }

  #withBody<T extends { readonly bodyOf?: string | undefined }>(
    entry: T,
    reader: EntryReader,
    path: Path,
  ): Omit<T, "bodyOf"> {
    const { bodyOf, ...rest } = entry;
    if (bodyOf === undefined) return rest;
    return { ...rest, body: this.#named("body", bodyOf, reader, [...path, "bodyOf"]) };
  }

  /** What is under the name has the kind's type: it was read by its schema. */
  #named<T>(kind: Kind, name: string, reader: EntryReader, path: Path): T | undefined {
    const known = this.#byKind[kind];
    const found = known.get(name) as T | undefined;
    if (!known.has(name))
      reader.problem(`the fixtures have no such ${kind}; ${nearestHint(name, [...known.keys()])}`, path);
    return found;
  }
}

/** What documents of tests are read with. */
export interface TestReading {
  readonly problems: ProblemList;
  readonly read: ReadNamed;
  readonly references: References;
  readonly concealed: Concealed;
}

/** Section `fixtures` of a document, and the files that it names; none where there is no such section. */
export function* readFixtures(reader: EntryReader, { problems, read, references }: TestReading): Steps<Fixtures> {
  const fixtures = new Fixtures();
  if (reader.raw(["fixtures"]) === undefined) return fixtures;
  const files = reader.raw(["fixtures", "files"]);
  const names = Array.isArray(files) ? files.filter((name) => typeof name === "string") : [];
  for (const [at, name] of names.entries()) {
    const path = ["fixtures", "files", at];
    const content = read(name, path);
    if (!content.ok) {
      reader.problem(`'${name}' ${content.error}`, path);
      continue;
    }
    const document = yield* parseTests(name, content.value, problems, references);
    if (document === null) continue;
    yield* fixtures.add(new EntryReader(document, problems, references.convertible), [], ownShape);
  }
  yield* fixtures.add(reader, ["fixtures"], fixturesShape);
  return fixtures;
}

/** A file of tests or fixtures, whose texts refer to what stands elsewhere as those of a policy do. */
export function parseTests(
  file: string,
  content: Buffer,
  problems: ProblemList,
  references: References,
): Steps<PolicyDocument | null> {
  const report = ({ place, text }: Problem): void => problems.add(place, text);
  return parseDocument(file, content, report, TEST_WORDS, (text, place) => references.resolve(text, place));
}

const TEST_WORDS = { what: "the file", isEmpty: "the file is empty; expected tests or fixtures" };

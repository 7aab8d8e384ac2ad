import { createHash, type Hash, hash } from "node:crypto";
import type { Steps } from "../support/turns.ts";
import { JOINED_MAPPINGS } from "./joined.ts";
import type { Outlined } from "./outline.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/** What says nothing of what a policy does, or says it by the routes. */
const NO_SECTIONS: ReadonlySet<string> = new Set(["version", "routes", "openapi", "grpc", "tests"]);

/** Sections whose entries have names. */
const OF_NAMES: ReadonlySet<string> = new Set([...JOINED_MAPPINGS, "defaults"]);

/** The last stage of those who compare: nobody else pays for it. */
export function* outlinePolicy(work: Work): Steps<void> {
  const { reader, inputs } = work;
  const { outline } = inputs;
  if (outline === undefined) return;
  const outlined = function* (path: Path, value: unknown = reader.raw(path)): Steps<Outlined> {
    return { digest: yield* valueDigest(value), value: outline === "values" ? value : undefined };
  };
  const sections = new Map<string, Outlined>();
  for (const section of reader.keys([]) ?? []) {
    if (NO_SECTIONS.has(section)) continue;
    for (const [name, path] of entriesOf(section, reader.raw([section]))) {
      sections.set(name, yield* outlined(path));
      yield;
    }
  }
  const routes: Outlined[] = [];
  const count = reader.listLength(["routes"]);
  for (let at = 0; at < count; at++) {
    routes.push(yield* outlined(["routes", at], withoutPlace(reader.raw(["routes", at]))));
    yield;
  }
  work.outline = { sections, routes, files: work.files.digests() };
}

function entriesOf(section: string, value: unknown): readonly (readonly [string, Path])[] {
  if (section === "listeners" && Array.isArray(value)) {
    return value.map((one, at) => [`listeners.${nameOf(one) ?? at}`, [section, at]]);
  }
  if (!OF_NAMES.has(section) || typeof value !== "object" || value === null) return [[section, [section]]];
  return Object.keys(value).map((name) => [`${section}.${name}`, [section, name]]);
}

const PLACE_KEYS: ReadonlySet<string> = new Set(["path", "methods", "hosts", "version"]);

function withoutPlace(route: unknown): unknown {
  if (typeof route !== "object" || route === null) return route;
  return Object.fromEntries(Object.entries(route).filter(([key]) => !PLACE_KEYS.has(key)));
}

function nameOf(value: unknown): string | null {
  return typeof value === "object" && value !== null && "name" in value ? String(value.name) : null;
}

/** Nodes of a value between two yields. */
const STEP_NODES = 512;

/** SHA-256 of what a value says; the order of a mapping's keys is of no account. */
function* valueDigest(value: unknown): Steps<string> {
  let whole: Hash | null = null;
  let text = "";
  let seen = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const one = left.pop();
    if (typeof one !== "object" || one === null) text += `${JSON.stringify(one)},`;
    else if (Array.isArray(one)) {
      text += `[${one.length}`;
      for (let at = one.length - 1; at >= 0; at--) left.push(one[at]);
    } else {
      const entries = Object.entries(one).sort(([a], [b]) => (a < b ? 1 : -1));
      text += `{${JSON.stringify(entries.map(([key]) => key))}`;
      for (const [, member] of entries) left.push(member);
    }
    if (++seen % STEP_NODES !== 0) continue;
    whole ??= createHash("sha256");
    whole.update(text);
    text = "";
    yield;
  }
  return whole === null ? hash("sha256", text, "base64url") : whole.update(text).digest("base64url");
}

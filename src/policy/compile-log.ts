import { type AttributeName, attributeName, bindAttribute } from "../attributes/attribute.ts";
import type { AttributeScope, AttributeType, Read } from "../attributes/types.ts";
import { parseTemplate } from "../matching/template.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { maskTokens } from "../support/mask-tokens.ts";
import { err, ok, type Result } from "../support/result.ts";
import { DENIAL_FIELDS, type FieldText, NOTE_FIELDS, USUAL_FIELDS } from "../telemetry/access-fields.ts";
import type { AddedField, LineFields } from "../telemetry/access-line.ts";
import { LogFile } from "../telemetry/log-file.ts";
import { type LogNames, PLAIN_NAMES } from "../telemetry/log-names.ts";
import { PRESETS } from "../telemetry/log-presets.ts";
import { escaped, logText } from "../telemetry/log-text.ts";
import type { Fields } from "./entries.ts";
import { logShape } from "./log-schema.ts";
import type { Path } from "./path.ts";
import { credentialFrom } from "./shown-credential.ts";
import type { Work } from "./work.ts";

type Settings = Fields<typeof logShape>;

const PATH: Path = ["log"];

/** What few policies say of the log. Behind the routes, for fields may be parameters of their paths. */
export function compileLog(work: Work): void {
  // Of routes that have problems nothing is said that may be theirs.
  const areRoutesSound = work.isWhole;
  const settings = work.reader.fields(logShape, PATH);
  const { access = "all", preset, sample, slow, denialsPerSecond } = settings;
  const names = preset === undefined ? PLAIN_NAMES : PRESETS[preset];
  if (access !== "all" && sample !== undefined)
    work.warning("no_effect", `with 'access: ${access}' no request that went well has a line`, [...PATH, "sample"]);
  work.log = {
    access,
    more: {
      names,
      fields: fieldsOf(work, settings.fields ?? {}, names, areRoutesSound),
      sampleRatio: sample ?? 1,
      sampleSeed: work.ladderSeed[0],
      slowMs: slow ?? Number.POSITIVE_INFINITY,
      denialsPerSecond: denialsPerSecond ?? DEFAULTS.logDenialsPerSecond,
      file: settings.file === undefined ? null : fileOf(work, settings.file),
    },
  };
}

function fileOf(
  work: Work,
  { path: file, maxBytes, keep, mode = "0600" }: NonNullable<Settings["file"]>,
): LogFile | null {
  const path: Path = [...PATH, "file"];
  if (file.includes("\0") || file.endsWith("/")) {
    work.problem("expected the name of a file", [...path, "path"]);
    return null;
  }
  if (keep !== undefined && maxBytes === undefined)
    work.warning("no_effect", "without 'maxBytes' the file is never renamed", [...path, "keep"]);
  const absolute = work.files.absoluteName(file);
  const audit = work.reader.raw([...PATH, "audit", "file"]);
  if (typeof audit === "string" && work.files.absoluteName(audit) === absolute) {
    work.problem("the audit log is written to this file; expected another one", [...path, "path"]);
    return null;
  }
  if (work.files.names().includes(absolute)) {
    work.problem("the policy reads this file, and would read its own log; expected another one", [...path, "path"]);
    return null;
  }
  const settings = {
    file: absolute,
    bytesMax: maxBytes ?? Number.POSITIVE_INFINITY,
    kept: maxBytes === undefined ? 0 : (keep ?? DEFAULTS.logFilesKept),
    mode: Number.parseInt(mode, 8),
  };
  const context = work.context((inner) => [...path, ...inner]);
  return context.resource(
    "log file",
    [JSON.stringify(Object.values(settings))],
    (world) => new LogFile(settings, world),
  );
}

const ALL_NAMES = [USUAL_FIELDS, DENIAL_FIELDS, NOTE_FIELDS].flatMap((table) => Object.keys(table));
const HEAD_NAMES = ["level", "time", "event", "id", "slow", "sampleRatio"];

function fieldsOf(
  work: Work,
  { add = {}, remove = [], only }: NonNullable<Settings["fields"]>,
  names: LogNames,
  areRoutesSound: boolean,
): LineFields {
  const path: Path = [...PATH, "fields"];
  if (only !== undefined && remove.length > 0) work.problem("both 'only' and 'remove'; expected one of them", path);
  const kept = ALL_NAMES.filter((name) => (only === undefined || only.includes(name)) && !remove.includes(name));
  const taken = new Set([...[...HEAD_NAMES, ...kept].map((name) => names.nameOf(name)), ...names.own]);
  const added = Object.entries(add).flatMap(([name, text]): readonly AddedField[] => {
    const at: Path = [...path, "add", name];
    if (taken.has(name))
      work.reader.keyProblem(`a line has '${name}' already; expected another name, or it under 'remove'`, at);
    const read = fieldText(work, text, areRoutesSound);
    if (read.ok) return [{ name, text: read.value }];
    work.problem(read.error, at);
    return [];
  });
  return { only: only === undefined ? null : new Set(["id", ...only]), removed: new Set(remove), added };
}

/** Attributes that may be where a credential stands. */
const CREDENTIAL_PLACES: ReadonlyMap<string, "header" | "query"> = new Map([
  ["request.headers", "header"],
  ["query", "query"],
]);

function fieldText(work: Work, text: string, areRoutesSound: boolean): Result<FieldText, string> {
  const name = attributeName(text);
  if (!name.ok) return name;
  if (name.value.shown === "nowhere")
    return err(`'${name.value.text}' may be a secret, which no log shows; expected another attribute`);
  const where = CREDENTIAL_PLACES.get(name.value.row.name);
  const authenticator =
    where === undefined ? null : credentialFrom(work.authenticators, where, name.value.rest[0] ?? "");
  if (authenticator !== null)
    return err(`authenticator '${authenticator}' takes its credential from there, which no log shows`);
  if (name.value.row.name === "path" || name.value.row.name === "route")
    return parameterText(work, name.value, areRoutesSound);
  const bound = bindAttribute(name.value, scopeOf(work, null, null));
  return bound.ok ? ok(({ exchange }) => valueText(bound.value.read(exchange), bound.value.type)) : bound;
}

function scopeOf(work: Work, parameters: readonly string[] | null, route: string | null): AttributeScope {
  return { phase: "respond", parameters, route, clock: work.inputs.clock };
}

/** What stands at another place in each route's path, found at load. */
function parameterText(work: Work, name: AttributeName, areRoutesSound: boolean): Result<FieldText, string> {
  const reads = new Map<string, Read>();
  let fault = err("no route is known here");
  for (const template of new Set(work.routes.map((route) => route.template))) {
    const bound = bindAttribute(name, scopeOf(work, parametersOf(template), template));
    if (bound.ok) reads.set(template, bound.value.read);
    else fault = bound;
  }
  if (reads.size === 0 && areRoutesSound)
    return err(work.routes.length === 1 ? fault.error : `no route has '${name.text}'`);
  return ok(({ route, exchange }) => {
    const read = reads.get(route);
    return read === undefined ? null : valueText(read(exchange), name.row.type);
  });
}

function parametersOf(template: string): readonly string[] {
  const parsed = parseTemplate(template);
  if (!parsed.ok) return [];
  return parsed.value.segments.flatMap((segment) => (segment.kind === "param" ? [segment.name] : []));
}

/** A value as JSON, masked as in decisions and bounded in bytes; null for what has no single one. */
function valueText(value: unknown, type: AttributeType): string | null {
  if (Array.isArray(value)) return listText(value);
  return type === "time" && typeof value === "number" ? `"${new Date(value).toISOString()}"` : scalarText(value);
}

function scalarText(value: unknown, bytesMax: number = DEFAULTS.logFieldBytesMax): string | null {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  if (typeof value !== "string") return null;
  // Half a token is one, too, so that it is masked before it is cut.
  const masked = maskTokens(value);
  for (let chars: number = DEFAULTS.logTextCharsMax; ; chars = Math.floor(chars / 2)) {
    const json = escaped(JSON.stringify(logText(masked, chars)));
    if (Buffer.byteLength(json) <= bytesMax || chars === 0) return json;
  }
}

function listText(values: readonly unknown[]): string {
  let text = "";
  for (const value of values.slice(0, DEFAULTS.logFieldItemsMax)) {
    const item = scalarText(value);
    if (item === null) continue;
    const longer = text === "" ? item : `${text},${item}`;
    if (Buffer.byteLength(longer) + 2 > DEFAULTS.logFieldBytesMax) break;
    text = longer;
  }
  return `[${text}]`;
}

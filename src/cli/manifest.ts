import { dirname, join, relative, resolve } from "node:path";
import { type Document, isMap, isScalar, parseAllDocuments, type Scalar } from "yaml";
import { isTestFile } from "../daemon/policy-tests.ts";
import { valueAt } from "../policy/issues.ts";
import { DOES_NOT_EXIST } from "../policy/named-files.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** A file that a ConfigMap or Secret holds: its bytes, with the lines and columns of the manifest where they can have them. */
type Files = ReadonlyMap<string, Buffer>;

/** A folder of a container, and whose files are in it; null where the manifest does not have that. */
interface Mount {
  readonly folder: string;
  readonly files: Files | null;
}

/** A policy within manifests of Kubernetes, as a pod would find it. */
export interface Manifest {
  readonly policy: Buffer;
  /** What stands beside it and is called like tests of it. */
  readonly tests: readonly string[];
  /** Undefined: no volume of the manifests could have it. As `ReadFile` has it, of a name that ends with `/` the list of a folder. */
  read(absolute: string): Result<Buffer, string> | undefined;
}

/** Whether a text is one or more manifests, one of which could hold a policy. */
export function isManifest(content: Buffer): boolean {
  return (
    /^kind: *["']?ConfigMap["']? *\r?$/m.test(content.toString("latin1")) &&
    /^apiVersion:/m.test(content.toString("latin1"))
  );
}

/**
 * Manifests → the policy in one of their ConfigMaps: that of the name, or the only one that has a policy. `file`: absolute
 * name of the manifests, beside which names of the policy are looked for where no pod mounts it.
 */
export function readManifest(file: string, content: Buffer, configMap: string | undefined): Result<Manifest, string> {
  if (content.length > DEFAULTS.policyBytesMax) return err(`is larger than ${DEFAULTS.policyBytesMax} bytes`);
  const text = content.toString("utf8");
  const documents = parseAllDocuments(text, { logLevel: "silent", uniqueKeys: false });
  if (!Array.isArray(documents)) return err("is a manifest that is not valid YAML");
  const broken = documents.find(({ errors }) => errors.length > 0);
  if (broken !== undefined) return err("is a manifest that is not valid YAML");
  const holders = documents.flatMap((document) => holderOf(document, text) ?? []);
  const policies = holders.flatMap((holder) => policyIn(holder) ?? []);
  const wanted = configMap === undefined ? policies : policies.filter(({ holder }) => holder.name === configMap);
  const [found, second] = wanted;
  const names = policies.map(({ holder }) => holder.name).join(", ");
  if (found === undefined)
    return err(`has no ConfigMap${configMap === undefined ? "" : ` '${configMap}'`} with a policy`);
  if (second !== undefined)
    return err(`has several ConfigMaps with a policy; expected --configmap with one of: ${names}`);
  const mounts = documents.flatMap((document) => mountsIn(document.toJS({ maxAliasCount: 100 }), holders));
  const home = mounts.find(({ files }) => files === found.holder.files);
  return ok({
    policy: found.policy,
    tests: [...found.holder.files.keys()].filter((name) => isTestFile(found.name, name)).sort(),
    read: (absolute) =>
      absolute.endsWith("/")
        ? listMounted(absolute, dirname(file), home, mounts, found.holder)
        : readMounted(absolute, dirname(file), home, mounts, holders),
  });
}

interface Holder {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  readonly files: Files;
  /** Texts as they are, for a look at what they may be. */
  readonly texts: ReadonlyMap<string, string>;
}

function holderOf(document: Document.Parsed, text: string): Holder | null {
  const kind = document.get("kind");
  if (kind !== "ConfigMap" && kind !== "Secret") return null;
  const files = new Map<string, Buffer>();
  const texts = new Map<string, string>();
  const isCoded = kind === "Secret";
  for (const [section, coded] of [
    ["data", isCoded],
    ["binaryData", true],
    ["stringData", false],
  ] as const) {
    const entries = document.get(section);
    for (const { key, value } of isMap(entries) ? entries.items : []) {
      if (!isScalar(value) || typeof value.value !== "string") continue;
      const name = String(isScalar(key) ? key.value : key);
      files.set(name, coded ? Buffer.from(value.value, "base64") : placed(name, value as Scalar<string>, text));
      if (!coded) texts.set(name, value.value);
    }
  }
  return { kind, name: String(document.getIn(["metadata", "name"])), files, texts };
}

/** YAML and JSON may stand further down and to the right than they begin: so each place in them is one of the manifest. */
function placed(name: string, { value, type, range }: Scalar<string>, text: string): Buffer {
  if (type !== "BLOCK_LITERAL" || range == null || !/\.(?:ya?ml|json)$/.test(name)) return Buffer.from(value);
  const start = text.indexOf("\n", range[0]) + 1;
  const above = text.slice(0, start).split("\n").length - 1;
  const lines = text.slice(start, range[1]).split("\n");
  return Buffer.from("\n".repeat(above) + lines.map((line) => (/^\s*---\s*$/.test(line) ? "" : line)).join("\n"));
}

function policyIn(holder: Holder): { readonly holder: Holder; readonly name: string; readonly policy: Buffer } | null {
  if (holder.kind !== "ConfigMap") return null;
  for (const [name, text] of holder.texts) {
    if (isPolicyText(name, text)) return { holder, name, policy: holder.files.get(name) ?? Buffer.from(text) };
  }
  return null;
}

/** Whether a file of a ConfigMap looks like a policy. */
export function isPolicyText(name: string, text: string): boolean {
  return /\.ya?ml$/.test(name) && /^version:/m.test(text) && /^(?:listeners|routes|upstreams):/m.test(text);
}

/** The folders of all containers of a workload, whatever kind it is. */
function mountsIn(value: unknown, holders: readonly Holder[]): readonly Mount[] {
  if (typeof value !== "object" || value === null) return [];
  const volumes = valueAt(value, ["volumes"]);
  if (!Array.isArray(volumes)) return Object.values(value).flatMap((inner) => mountsIn(inner, holders));
  const filesOf = new Map<unknown, Files | null>();
  for (const volume of volumes) {
    const configMap = valueAt(volume, ["configMap", "name"]);
    const name = configMap ?? valueAt(volume, ["secret", "secretName"]);
    const kind = configMap === undefined ? "Secret" : "ConfigMap";
    if (name === undefined) continue;
    filesOf.set(
      valueAt(volume, ["name"]),
      holders.find((one) => one.kind === kind && one.name === name)?.files ?? null,
    );
  }
  const containers = ["initContainers", "containers"].flatMap((key) => {
    const list = valueAt(value, [key]);
    return Array.isArray(list) ? list : [];
  });
  return containers.flatMap((container) => {
    const mounts = valueAt(container, ["volumeMounts"]);
    return (Array.isArray(mounts) ? mounts : []).flatMap((mount): Mount[] => {
      const [name, folder] = [valueAt(mount, ["name"]), valueAt(mount, ["mountPath"])];
      const files = filesOf.get(name);
      return files === undefined || typeof folder !== "string" ? [] : [{ folder, files }];
    });
  });
}

function listMounted(
  absolute: string,
  beside: string,
  home: Mount | undefined,
  mounts: readonly Mount[],
  holder: Holder,
): Result<Buffer, string> | undefined {
  const inner = relative(beside, absolute);
  const names = home === undefined ? [resolve(absolute)] : [join(home.folder, inner), resolve(absolute)];
  const mount = mounts.find(({ folder }) => names.some((name) => relative(folder, name) === ""));
  if (mount === undefined && (home !== undefined || inner !== "")) return undefined;
  const files = mount === undefined ? holder.files : mount.files;
  if (files === null) return err(DOES_NOT_EXIST);
  const listed = [...files.keys()].filter((name) => !name.startsWith("."));
  return ok(Buffer.from(listed.sort().join("\n")));
}

function readMounted(
  absolute: string,
  beside: string,
  home: Mount | undefined,
  mounts: readonly Mount[],
  holders: readonly Holder[],
): Result<Buffer, string> | undefined {
  const inner = relative(beside, absolute);
  // A name of the policy may be relative to its folder in the pod, or absolute there.
  for (const path of home === undefined ? [absolute] : [join(home.folder, inner), absolute]) {
    for (const { folder, files } of mounts) {
      const key = relative(folder, path);
      if (key === "" || key.startsWith("..")) continue;
      const found = files?.get(key);
      return found === undefined ? err(DOES_NOT_EXIST) : ok(found);
    }
  }
  if (home !== undefined) return undefined;
  const found = holders.map(({ files }) => files.get(inner)).find((one) => one !== undefined);
  return found === undefined ? undefined : ok(found);
}

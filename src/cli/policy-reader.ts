import { resolve } from "node:path";
import { type ReadFile, readNamed } from "../daemon/regular-file.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import type { Options } from "./command.ts";
import { isManifest, type Manifest, readManifest } from "./manifest.ts";

/** How a command is told which policy of a manifest is meant. */
export const CONFIGMAP_OPTION = {
  configmap: {
    type: "string",
    value: "NAME",
    text: "of a manifest with several policies, the name of the ConfigMap that is meant",
  },
} as const satisfies Options;

/** Files as they are. */
export const readDisk: ReadFile = (absolute) => readNamed(absolute, DEFAULTS.addressBytesMax);

/** Reads files; `testNames`: of a manifest, the tests beside its policy, by name; null of any other file. */
export interface PolicyReader extends ReadFile {
  testNames(absolute: string): readonly string[] | null;
}

/**
 * Reads a policy and what it names, from files or from within a manifest of Kubernetes that is given in place of the policy.
 * `configMap`: the name of the one that has the policy, where several do. `read`: how files are read.
 */
export function policyReader(configMap?: string, read = readDisk): PolicyReader {
  const manifests = new Map<string, Result<Manifest, string>>();
  const reader: ReadFile = (absolute, isPolicy) => {
    for (const [file, manifest] of manifests) {
      if (file === absolute || !manifest.ok) continue;
      const found = manifest.value.read(absolute);
      if (found !== undefined) return found;
    }
    const content = read(absolute, isPolicy);
    if (isPolicy !== true || !content.ok || !isManifest(content.value)) return content;
    const manifest = manifests.get(absolute) ?? readManifest(absolute, content.value, configMap);
    manifests.set(absolute, manifest);
    return manifest.ok ? { ok: true, value: manifest.value.policy } : manifest;
  };
  const testNames = (absolute: string): readonly string[] | null => {
    reader(absolute, true);
    const manifest = manifests.get(absolute);
    return manifest === undefined ? null : manifest.ok ? manifest.value.tests : [];
  };
  return Object.assign(reader, { testNames });
}

/** Whether what a command is given as a policy is a manifest, whose pod has files that are not here. */
export function holdsManifest(file: string, cwd: string): boolean {
  const content = readDisk(resolve(cwd, file));
  return content.ok && isManifest(content.value);
}

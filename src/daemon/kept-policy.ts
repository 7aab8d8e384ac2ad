import type { Snapshot } from "../policy/snapshot.ts";
import type { StateFolder } from "../resources/state-folder.ts";
import { parseJsonObject } from "../support/json.ts";
import { ok, type Result } from "../support/result.ts";
import { mayRollBack } from "./policy-room.ts";
import type { ReadFile } from "./regular-file.ts";

const KIND = { name: "policy", version: 1 } as const;

/** What the policy's files said when it was put in force, by absolute name; folders' names end with `/`. */
export interface Kept {
  readonly keptAt: string;
  readonly files: ReadonlyMap<string, Buffer>;
}

/**
 * The last good policy in a folder, for a start that finds a broken one: every file that it was made from, whole or not at
 * all. Private keys and secrets are never copied: they are read from where they are.
 */
export class KeptPolicy {
  readonly #policyFile: string;
  readonly #folder: StateFolder;
  #written: Promise<void> = Promise.resolve();
  /** What stood there before, where that policy may come back. */
  #earlier: Buffer | null = null;

  /** `policyFile`: absolute; each policy has a file of its own in the folder. */
  constructor(policyFile: string, folder: StateFolder) {
    this.#policyFile = policyFile;
    this.#folder = folder;
  }

  /** Null where there is none, or none that can be used, which the folder tells. */
  async read(): Promise<Kept | null> {
    const content = await this.#folder.read(KIND, this.#policyFile);
    if (content === null) return null;
    const parsed = parseJsonObject(content, 3);
    const files = parsed.ok ? filesIn(parsed.value["files"]) : null;
    const keptAt = parsed.ok ? parsed.value["keptAt"] : null;
    if (files !== null && typeof keptAt === "string") return { keptAt, files };
    await this.#folder.damaged(KIND, this.#policyFile, "the content is no policy");
    return null;
  }

  /** Never fails; what cannot be written, the folder tells. */
  write(snapshot: Snapshot, contents: ReadonlyMap<string, Result<Buffer, string>>, atMs: number): void {
    const { files, secretFiles } = snapshot;
    const kept: Record<string, string> = Object.create(null);
    for (const name of files) {
      const content = contents.get(name);
      if (content?.ok === true && !secretFiles.has(name)) kept[name] = content.value.toString("base64");
    }
    const text = Buffer.from(JSON.stringify({ keptAt: new Date(atMs).toISOString(), files: kept }));
    const mayComeBack = mayRollBack(snapshot);
    this.#written = this.#written.then(async () => {
      this.#earlier = mayComeBack ? await this.#folder.read(KIND, this.#policyFile) : null;
      await this.#folder.write(KIND, this.#policyFile, text);
    });
  }

  /** The policy before is the good one again. */
  putBack(): void {
    this.#written = this.#written.then(async () => {
      if (this.#earlier !== null) await this.#folder.write(KIND, this.#policyFile, this.#earlier);
      this.#earlier = null;
    });
  }

  /** Resolves when what was written is on the disk. */
  settled(): Promise<void> {
    return this.#written;
  }
}

/** Reads what was kept, and from the disk what was not. */
export function keptReader({ files }: Kept, read: ReadFile): ReadFile {
  return (absolute) => {
    const content = files.get(absolute);
    return content === undefined ? read(absolute) : ok(content);
  };
}

function filesIn(value: unknown): ReadonlyMap<string, Buffer> | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const files = new Map<string, Buffer>();
  for (const [name, content] of Object.entries(value)) {
    if (typeof content !== "string") return null;
    files.set(name, Buffer.from(content, "base64"));
  }
  return files;
}

import { hash } from "node:crypto";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** Files of one folder, by plain names. Errors in words. */
export interface StateFiles {
  /** Null where there is none. A file that others could have written is an error: its content would be theirs. */
  read(name: string, bytesMax: number): Promise<Result<Buffer | null, string>>;
  /** The same on the spot, for what compiling a policy waits for; makes no folder. */
  readNow(name: string, bytesMax: number): Result<Buffer | null, string>;
  /** At most so many bytes of its end. */
  readEnd(name: string, bytesMax: number): Promise<Result<Buffer | null, string>>;
  /** Written whole beside it and renamed, for its owner alone. */
  write(name: string, content: Buffer): Promise<Result<null, string>>;
  /** The absolute name of a file that somebody else opens by it; made where it is missing, and refused where `read` would. */
  place(name: string): Promise<Result<string, string>>;
  /**
   * For this process alone until what it gives is called: another process that asks for the name gets an error. Of one that
   * ended without giving it back it is free again after `staleMs`.
   */
  lock(name: string, staleMs: number): Promise<Result<() => Promise<void>, string>>;
  /** Puts a damaged file out of the way, to be looked at. */
  setAside(name: string): Promise<void>;
  /**
   * Appends to the first of the files, and with more than `bytesMax` in it has it take the place of the next one first, that the
   * place of the one behind it, and so on. All or nothing is written; a file that others could have written is refused. `mode` is of
   * one that is made, 0600 if absent.
   */
  append(
    names: readonly [string, ...string[]],
    content: readonly Buffer[],
    bytesMax: number,
    mode?: number,
  ): Promise<Result<null, string>>;
}

/** What a kind of state is called and how its content is laid out; a new layout is a new version, and a fresh beginning. */
export interface StateKind {
  /** Letters, digits and dashes. */
  readonly name: string;
  readonly version: number;
}

const HEAD = /^postern-state ([a-z0-9-]{1,64}) (\d{1,9}) ([0-9a-f]{64})\n/;
const HEAD_BYTES_MAX = 200;
const FILE_BYTES_MAX = HEAD_BYTES_MAX + DEFAULTS.stateFileBytesMax;

/**
 * What survives a restart. A file says of what kind and version it is, and a hash of its content; one that is damaged is a
 * warning and a fresh beginning. A folder that cannot be used is a warning too: everything works from memory.
 */
export class StateFolder {
  readonly directory: string;
  readonly #files: StateFiles;
  readonly #warn: (file: string, text: string) => void;
  /** The last write of each name: two at once must not overtake each other. */
  readonly #writes = new Map<string, Promise<void>>();
  /** Damaged files that are being set aside: a write that comes behind must not be what is. */
  readonly #asides = new Map<string, Promise<void>>();

  constructor(directory: string, files: StateFiles, warn: (file: string, text: string) => void) {
    this.directory = directory;
    this.#files = files;
    this.#warn = warn;
  }

  /** What was kept under `id`, or null. Never fails. */
  async read(kind: StateKind, id: string): Promise<Buffer | null> {
    const name = fileName(kind, id);
    const content = this.#contentOf(kind, name, await this.#files.read(name, FILE_BYTES_MAX));
    await this.#asides.get(name);
    return content;
  }

  /** The same on the spot, while a policy compiles. */
  readNow(kind: StateKind, id: string): Buffer | null {
    const name = fileName(kind, id);
    return this.#contentOf(kind, name, this.#files.readNow(name, FILE_BYTES_MAX));
  }

  #contentOf(kind: StateKind, name: string, found: Result<Buffer | null, string>): Buffer | null {
    if (!found.ok) {
      this.#warn(name, `${found.error}; nothing of it is used`);
      return null;
    }
    if (found.value === null) return null;
    const content = open(kind, found.value);
    if (content.ok) return content.value;
    this.#asides.set(
      name,
      this.#setAside(name, content.error).finally(() => this.#asides.delete(name)),
    );
    return null;
  }

  /** Puts what was kept under `id` out of the way: its content is whole, and of no use. */
  async damaged(kind: StateKind, id: string, text: string): Promise<void> {
    await this.#setAside(fileName(kind, id), text);
  }

  /** The absolute name of a database, which whoever asks opens and writes itself. Errors in words. */
  database(name: string): Promise<Result<string, string>> {
    return this.#files.place(name);
  }

  /** Appends lines to the first of two files that take turns; errors in words. */
  append(
    names: readonly [string, string],
    content: readonly Buffer[],
    bytesMax: number,
  ): Promise<Result<null, string>> {
    return this.#files.append(names, content, bytesMax);
  }

  /** Puts a database out of the way, with what SQLite keeps beside it; nobody has it open. */
  async databaseDamaged(name: string, text: string): Promise<void> {
    await this.#setAside(name, text);
    for (const beside of ["-wal", "-shm"]) await this.#files.setAside(`${name}${beside}`);
  }

  async #setAside(name: string, text: string): Promise<void> {
    this.#warn(name, `${text}; it is set aside, and begun anew`);
    await this.#files.setAside(name);
  }

  /** Keeps `content` under `id`; of several writes that wait, the last counts. Never fails. */
  async write(kind: StateKind, id: string, content: Buffer): Promise<void> {
    const name = fileName(kind, id);
    if (content.length > DEFAULTS.stateFileBytesMax) {
      this.#warn(name, `more than ${DEFAULTS.stateFileBytesMax} bytes; it is not kept`);
      return;
    }
    const before = Promise.all([this.#writes.get(name), this.#asides.get(name)]);
    const write = before.then(async () => {
      // A later one has come meanwhile.
      if (this.#writes.get(name) !== write) return;
      const written = await this.#files.write(name, Buffer.concat([head(kind, content), content]));
      if (!written.ok) this.#warn(name, `${written.error}; it lives in memory alone`);
      if (this.#writes.get(name) === write) this.#writes.delete(name);
    });
    this.#writes.set(name, write);
    await write;
  }
}

/** `id` may be anything, as a URL; its hash names the file. */
function fileName({ name }: StateKind, id: string): string {
  return `${name}-${hash("sha256", id).slice(0, 32)}.state`;
}

function head({ name, version }: StateKind, content: Buffer): Buffer {
  return Buffer.from(`postern-state ${name} ${version} ${hash("sha256", content)}\n`);
}

function open(kind: StateKind, file: Buffer): Result<Buffer, string> {
  const [line = "", name = "", version = "", digest = ""] =
    HEAD.exec(file.subarray(0, HEAD_BYTES_MAX).toString("latin1")) ?? [];
  if (line === "" || name !== kind.name) return err(`no state of kind ${kind.name}`);
  const content = file.subarray(line.length);
  if (hash("sha256", content) !== digest) return err("the content is damaged");
  return Number(version) === kind.version ? ok(content) : err(`version ${version}; this postern has ${kind.version}`);
}

import type { AdminRoom } from "../../resources/admin-room.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import type { StateFolder } from "../../resources/state-folder.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import { useRoom } from "./room.ts";
import { type CallerUse, RouteUse } from "./route-use.ts";
import { decodeUse, encodeUse, type KeptUse } from "./use-file.ts";

const KIND = { name: "deprecated-use", version: 1 } as const;
const ID = "deprecated";

/**
 * Who still asks for what is deprecated, over reloads and, with a folder, over restarts: whether something can be taken away is
 * decided over weeks. Written a moment after a change, whole.
 */
export class UseBook implements Resource {
  readonly kind = "deprecated use";
  readonly name = "deprecated";
  readonly room: AdminRoom;
  readonly #world: ResourceWorld;
  readonly #routes = new Map<string, RouteUse>();
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  /** The folder was read, and is written from now on. */
  #isKept = false;
  #isDirty = false;
  #cancel: (() => void) | null = null;
  #writtenAtMs: number | null = null;
  /** Settled when nothing is under way with the folder. */
  settled: Promise<void> = Promise.resolve();

  constructor(world: ResourceWorld) {
    this.#world = world;
    this.room = useRoom(() => this.#routes.values());
  }

  /** Of a route, by its template. */
  of(route: string): RouteUse {
    const use = this.#routes.get(route) ?? new RouteUse(route, () => this.#changed());
    // Behind the others: should there be too many, those go that no policy has asked for in a long time.
    this.#routes.delete(route);
    this.#routes.set(route, use);
    const [oldest] = this.#routes.keys();
    if (this.#routes.size > DEFAULTS.deprecatedRoutesMax && oldest !== undefined) this.#routes.delete(oldest);
    return use;
  }

  status(): ResourceStatus {
    const { folder } = this.#world;
    return {
      kind: this.kind,
      name: this.name,
      state: "ready",
      detail: folder === null ? "in memory alone, for the policy has no 'state'" : null,
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: null,
      tries: this.#tries,
    };
  }

  start(): void {
    const { folder } = this.#world;
    if (folder !== null) this.settled = this.#load(folder);
  }

  close(): void {
    this.#cancel?.();
    this.#write();
    this.#isKept = false;
  }

  tryOnce(): Promise<Result<string, string>> {
    const { folder } = this.#world;
    return Promise.resolve(
      ok(folder === null ? "callers are in memory alone" : `callers are kept in ${folder.directory}`),
    );
  }

  async #load(folder: StateFolder): Promise<void> {
    const content = await folder.read(KIND, ID);
    const kept = content === null ? null : decodeUse(content);
    if (content !== null && kept === null) await folder.damaged(KIND, ID, "the content cannot be read");
    for (const route of kept ?? []) this.#restore(route);
    this.#isKept = true;
    if (this.#isDirty) this.#changed();
  }

  /** What was counted meanwhile is newer, and stays behind. */
  #restore({ route, counts, callers, addresses }: KeptUse): void {
    const use = this.of(route);
    for (const outcome of ["served", "excepted", "brownout", "ended"] as const) use.counts[outcome] += counts[outcome];
    join(use.callers, callers);
    join(use.addresses, addresses);
    this.#tries.ok++;
  }

  #changed(): void {
    this.#isDirty = true;
    if (!this.#isKept) return;
    this.#cancel ??= this.#world.timers.after(DEFAULTS.deprecatedWriteMs, () => {
      this.#cancel = null;
      this.#write();
    });
  }

  #write(): void {
    const { folder, clock } = this.#world;
    if (folder === null || !this.#isKept || !this.#isDirty) return;
    this.#isDirty = false;
    this.#writtenAtMs = clock.wallMs();
    this.settled = Promise.all([this.settled, folder.write(KIND, ID, encodeUse([...this.#routes.values()]))]).then(
      () => {},
    );
  }
}

function join(room: Map<string, CallerUse>, kept: readonly (readonly [string, CallerUse])[]): void {
  const newer = [...room];
  room.clear();
  for (const [name, use] of kept) room.set(name, use);
  for (const [name, use] of newer) {
    const before = room.get(name);
    room.delete(name);
    room.set(
      name,
      before === undefined ? use : { ...use, requests: use.requests + before.requests, firstMs: before.firstMs },
    );
  }
  for (const name of room.keys()) {
    if (room.size <= DEFAULTS.deprecatedCallersMax) return;
    room.delete(name);
  }
}

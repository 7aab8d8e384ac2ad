import type { AdminRoom } from "../../resources/admin-room.ts";
import { KeptBook } from "../../resources/kept-book.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import { useRoom } from "./room.ts";
import { type CallerUse, RouteUse } from "./route-use.ts";
import { decodeUse, encodeUse } from "./use-file.ts";

/**
 * Who still asks for what is deprecated, over reloads and, with a folder, over restarts: whether something can be taken away is
 * decided over weeks. Written a moment after a change, whole.
 */
export class UseBook implements Resource {
  readonly kind = "deprecated use";
  readonly name = "deprecated";
  readonly room: AdminRoom;
  readonly #routes = new Map<string, RouteUse>();
  readonly #kept: KeptBook;

  constructor(world: ResourceWorld) {
    this.room = useRoom(() => this.#routes.values());
    this.#kept = new KeptBook(
      {
        kind: { name: "deprecated-use", version: 1 },
        id: "deprecated",
        writeMs: DEFAULTS.deprecatedWriteMs,
        restore: (content) => this.#restore(content),
        encode: () => encodeUse([...this.#routes.values()]),
      },
      world,
    );
  }

  /** Settled when nothing is under way with the folder. */
  get settled(): Promise<void> {
    return this.#kept.settled;
  }

  /** Of a route, by its template. */
  of(route: string): RouteUse {
    const use = this.#routes.get(route) ?? new RouteUse(route, () => this.#kept.changed());
    // Behind the others: should there be too many, those go that no policy has asked for in a long time.
    this.#routes.delete(route);
    this.#routes.set(route, use);
    const [oldest] = this.#routes.keys();
    if (this.#routes.size > DEFAULTS.deprecatedRoutesMax && oldest !== undefined) this.#routes.delete(oldest);
    return use;
  }

  status(): ResourceStatus {
    return { kind: this.kind, name: this.name, ...this.#kept.status };
  }

  start(): void {
    this.#kept.start();
  }

  close(): void {
    this.#kept.close();
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok(this.#kept.whereabouts("callers are")));
  }

  /** What was counted meanwhile is newer, and stays behind. */
  #restore(content: Buffer): boolean {
    const kept = decodeUse(content);
    for (const { route, counts, callers, addresses } of kept ?? []) {
      const use = this.of(route);
      for (const outcome of ["served", "excepted", "brownout", "ended"] as const)
        use.counts[outcome] += counts[outcome];
      join(use.callers, callers);
      join(use.addresses, addresses);
    }
    return kept !== null;
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

import { hash } from "node:crypto";
import type { AdminRoom } from "./admin-room.ts";
import type { Resource, ResourceState, ResourceStatus, ResourceWorld } from "./resource.ts";
import { StateFolder } from "./state-folder.ts";

/** What the registry needs of the world; the rest of `ResourceWorld` is its own. */
export interface RegistryDeps extends Omit<ResourceWorld, "folder" | "changed" | "note" | "recompile"> {
  /** Policies are only looked at, and what they ask for is never started. */
  readonly neverStarts?: boolean;
}

/** Who is told. */
export interface ResourceReports {
  /** Another state of a resource that is in force. */
  onState(status: ResourceStatus, before: ResourceState): void;
  /** What is to be known once of a resource that is in force, or has just been. */
  onNote(status: ResourceStatus, text: string): void;
  /** A file of the state folder that cannot be used, and why. */
  onFolder(directory: string, file: string, text: string): void;
  /** The policy in force would compile to another now; absent where nobody compiles. */
  onRecompile?(): void;
}

const NOBODY: ResourceReports = { onState: () => {}, onNote: () => {}, onFolder: () => {} };

interface UsesResources {
  readonly resources: ReadonlyMap<string, Resource>;
}

type Make = (world: ResourceWorld) => Resource;

const NONE: ReadonlyMap<string, Resource> = new Map();

/** Resources by their canonical settings: a policy that asks for the same settings gets the instance that runs. */
export class Resources {
  readonly #deps: RegistryDeps;
  /** Of the policy in force. */
  #inForce: ReadonlyMap<string, Resource> = new Map();
  /** Those, and what the policy before has that may come back. */
  #running: ReadonlyMap<string, Resource> = new Map();
  readonly #states = new Map<Resource, ResourceState>();
  /** They may have a last thing to say. */
  readonly #ended = new WeakSet<Resource>();
  #folder: StateFolder | null = null;
  #reports: ResourceReports = NOBODY;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
  }

  get neverStarts(): boolean {
    return this.#deps.neverStarts === true;
  }

  reportTo(reports: ResourceReports): void {
    this.#reports = reports;
  }

  /** For one compilation; `directory` is absolute, null for none. `beside`: of another of the same policy, which is not in force yet. */
  begin(directory: string | null, beside: ReadonlyMap<string, Resource> = NONE): Acquisition {
    const acquire = (key: string, make: Make): Resource =>
      this.#running.get(key) ?? beside.get(key) ?? make(this.#worldOf(directory));
    return new Acquisition(acquire, directory);
  }

  /**
   * A policy is in force: what it has and nobody had is started, what it has no more is closed. What `earlier` has goes on
   * running beside, for a policy that may come back.
   */
  follow({ resources }: UsesResources, earlier: UsesResources | null = null): void {
    const before = new Set(this.#running.values());
    this.#inForce = resources;
    this.#running = earlier === null ? resources : new Map([...earlier.resources, ...resources]);
    const after = new Set(this.#running.values());
    for (const resource of after.difference(before)) {
      this.#states.set(resource, resource.status().state);
      resource.start();
    }
    for (const resource of before.difference(after)) {
      this.#states.delete(resource);
      this.#ended.add(resource);
      resource.close();
    }
  }

  statuses(): readonly ResourceStatus[] {
    return [...new Set(this.#inForce.values())].map((resource) => resource.status());
  }

  /** What those in force show and do at the admin port. */
  rooms(): readonly AdminRoom[] {
    return [...this.#inForce.values()].flatMap(({ room }) => room ?? []);
  }

  close(): void {
    this.follow({ resources: new Map() });
  }

  #worldOf(directory: string | null): ResourceWorld {
    const { neverStarts, ...world } = this.#deps;
    const folder = directory === null ? null : this.#folderAt(directory, world.openFiles);
    return {
      ...world,
      folder,
      changed: (resource) => this.#changed(resource),
      note: (resource, text) => {
        if (this.#isInForce(resource) || this.#ended.has(resource)) this.#reports.onNote(resource.status(), text);
      },
      recompile: () => this.#reports.onRecompile?.(),
    };
  }

  /** One for all resources, so that writes of one file wait for each other. */
  #folderAt(directory: string, openFiles: RegistryDeps["openFiles"]): StateFolder {
    const known = this.#folder;
    if (known?.directory === directory) return known;
    const warn = (file: string, text: string): void => this.#reports.onFolder(directory, file, text);
    const folder = new StateFolder(directory, openFiles(directory), warn);
    this.#folder = folder;
    return folder;
  }

  #isInForce(resource: Resource): boolean {
    return [...this.#inForce.values()].includes(resource);
  }

  #changed(resource: Resource): void {
    const before = this.#states.get(resource);
    const status = resource.status();
    if (before === undefined || before === status.state) return;
    this.#states.set(resource, status.state);
    if (this.#isInForce(resource)) this.#reports.onState(status, before);
  }
}

/** What one policy that is being compiled asks for. */
export class Acquisition {
  readonly resources: Map<string, Resource> = new Map();
  readonly #acquire: (key: string, make: Make) => Resource;
  readonly #directory: string | null;

  constructor(acquire: (key: string, make: Make) => Resource, directory: string | null) {
    this.#acquire = acquire;
    this.#directory = directory;
  }

  /**
   * What `make` makes of `settings`, or what runs already that was made of the same. `settings` is all that it depends on,
   * contents of files among them; `kind` says what it is, and of one kind there is one type.
   */
  acquire<T extends Resource>(
    kind: string,
    settings: readonly (string | Buffer)[],
    make: (world: ResourceWorld) => T,
  ): T {
    const key = [kind, this.#directory ?? "", ...settings].map((part) => hash("sha256", part)).join(":");
    const resource = this.resources.get(key) ?? this.#acquire(key, make);
    this.resources.set(key, resource);
    return resource as T;
  }
}

import type { Caller, CallSettings } from "../calls/call.ts";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import type { Result } from "../support/result.ts";
import { Answers } from "./answers.ts";

/** Somebody who is asked about requests as they come, and whose answers outlive policies. */
export abstract class Asked<T> implements Resource {
  abstract readonly kind: string;
  readonly name: string;
  protected readonly caller: Caller;
  protected readonly answers: Answers<T>;

  constructor({ name, call }: { readonly name: string; readonly call: CallSettings }, world: ResourceWorld) {
    this.name = name;
    this.caller = world.openCaller(call);
    this.answers = new Answers(this, world);
  }

  abstract tryOnce(): Promise<Result<string, string>>;

  /** What is remembered under `key`; undefined where one has to ask. */
  known(key: string): T | undefined {
    return this.answers.known(key);
  }

  status(): ResourceStatus {
    return this.answers.status();
  }

  /** Nobody is asked before a request comes. */
  start(): void {}

  close(): void {
    this.caller.close();
    this.answers.close();
  }
}

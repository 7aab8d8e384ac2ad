import type { Clock } from "../support/clock.ts";
import type { ResourceFault, ResourceState, ResourceStatus } from "./resource.ts";

/** How whoever sends or writes something fares: the part of its status that each try changes. */
export class Tries {
  readonly #clock: Clock;
  readonly #counts = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #state: ResourceState = "starting";
  #fault: ResourceFault | null = null;
  #succeededAtMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isFailing(): boolean {
    return this.#fault !== null;
  }

  /** Nothing was to be done so far, and nothing is in the way. */
  ready(): void {
    if (this.#state === "starting") this.#state = "ready";
  }

  /** `fault`: in words, without secrets; null where the try was good. */
  note(fault: string | null): void {
    if (fault === null) {
      this.#counts.ok++;
      this.#succeededAtMs = this.#clock.wallMs();
      this.#fault = null;
      this.#state = "ready";
    } else {
      this.#counts.failed++;
      this.tell(fault);
      this.#state = "failing";
    }
  }

  /** A fault beside the tries, which the next good one takes back. */
  tell(fault: string): void {
    this.#fault = { text: fault, atMs: this.#clock.wallMs() };
  }

  get status(): Pick<ResourceStatus, "state" | "freshAtMs" | "staleUntilMs" | "fault" | "tries"> {
    return {
      state: this.#state,
      freshAtMs: this.#succeededAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#counts,
    };
  }
}

import type { CommandIo, Terminal } from "./command.ts";

/** Says where the work is, as `120 of 3,400 tests`. It may be called for every step: it writes now and then. */
export type Tell = (text: string) => void;

/** Quicker work says nothing. */
const SILENT_MS = 1000;
const EVERY_MS = 200;
/** Of a terminal that does not know its size, as in a container. */
const COLUMNS = 80;
/** To the beginning of the line, and nothing from there on. */
const CLEAR = "\r\x1b[K";

/**
 * Runs what may take long. Where standard error is a terminal and nobody reads by machine, a line at its end says after a second what
 * is done, and is gone with the work, or before something else is written.
 */
export async function withProgress<T>(
  io: CommandIo,
  isForMachines: boolean,
  run: (io: CommandIo, tell: Tell) => Promise<T>,
): Promise<T> {
  const { terminal } = io;
  if (terminal === undefined || isForMachines) return run(io, () => {});
  const line = new ProgressLine(io, terminal);
  try {
    return await run(line.io, (text) => line.tell(text));
  } finally {
    line.end();
  }
}

/** How long work may hold the thread while a progress is shown, and without end where none is. */
export function sliceOf({ terminal }: CommandIo): { readonly sliceMs?: number } {
  return terminal === undefined ? {} : { sliceMs: EVERY_MS / 2 };
}

class ProgressLine {
  /** Whatever is written by it comes in place of the line. */
  readonly io: CommandIo;
  readonly #outer: CommandIo;
  readonly #terminal: Terminal;
  readonly #beganMs: number;
  #text = "";
  #nextMs: number;
  #isShown = false;
  #stop: () => void = () => {};

  constructor(outer: CommandIo, terminal: Terminal) {
    this.#outer = outer;
    this.#terminal = terminal;
    this.#beganMs = outer.clock.monotonicMs();
    this.#nextMs = this.#beganMs + SILENT_MS;
    this.io = {
      ...outer,
      stdout: (text) => {
        this.#clear();
        outer.stdout(text);
      },
      stderr: (text) => {
        this.#clear();
        outer.stderr(text);
      },
    };
    this.#wait(SILENT_MS);
  }

  tell(text: string): void {
    this.#text = text;
    if (this.#outer.clock.monotonicMs() >= this.#nextMs) this.#show();
  }

  end(): void {
    this.#stop();
    this.#clear();
  }

  /** Also where nothing is told for long. */
  #wait(ms: number): void {
    this.#stop = this.#terminal.timers.after(ms, () => {
      this.#show();
      this.#wait(EVERY_MS);
    });
  }

  #show(): void {
    const nowMs = this.#outer.clock.monotonicMs();
    const line = `${this.#text === "" ? "" : `${this.#text}, `}${Math.floor((nowMs - this.#beganMs) / 1000)} s`;
    this.#outer.stderr(`${CLEAR}${line.slice(0, (this.#terminal.columns() || COLUMNS) - 1)}`);
    this.#isShown = true;
    this.#nextMs = nowMs + EVERY_MS;
  }

  #clear(): void {
    if (this.#isShown) this.#outer.stderr(CLEAR);
    this.#isShown = false;
  }
}

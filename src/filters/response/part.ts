import type { z } from "zod";
import type { Steps } from "../../support/turns.ts";
import type { RouteContext } from "../filter.ts";
import { Later } from "../lazy.ts";
import type { AnswerReading } from "../response-check.ts";

/** The context of one part: places and problems are those of its own settings. */
export interface PartContext extends RouteContext {
  /** What becomes of answers that cannot be looked into. */
  readonly reading: AnswerReading;
}

/** What a key of `response` is made of, where it is loaded with the first policy that has it. */
export interface ResponsePart<Settings> {
  readonly schema: z.ZodType<Settings>;
  /** Adds its `ResponseCheck` to the route. */
  compile(settings: Settings, context: PartContext): void | Steps<void>;
}

/** A key of `response` that other policies need not load. */
export class LaterPart<Settings> {
  readonly #later: Later<ResponsePart<Settings>>;

  constructor(word: string, load: () => Promise<ResponsePart<Settings>>) {
    this.#later = new Later(`response.${word}`, load);
  }

  get isLoaded(): boolean {
    return this.#later.isLoaded;
  }

  readonly prepare = (): Promise<void> | undefined => this.#later.prepare();

  get(): ResponsePart<Settings> {
    return this.#later.get();
  }
}

/** `context` of the settings of `response`, as the part under `word` has it. */
export function contextOfPart(context: RouteContext, word: string, reading: AnswerReading): PartContext {
  return {
    ...context,
    reading,
    place: (...path) => context.place(word, ...path),
    problem: (text, ...path) => context.problem(text, word, ...path),
    problemWithin: (offset, text, ...path) => context.problemWithin(offset, text, word, ...path),
    warning: (rule, text, ...path) => context.warning(rule, text, word, ...path),
    readFile: (name, ...path) => context.readFile(name, word, ...path),
    readLargeFile: (name, ...path) => context.readLargeFile(name, word, ...path),
    secret: (reference, ...path) => context.secret(reference, word, ...path),
  };
}

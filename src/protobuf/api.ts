import { err, ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { readDescriptors } from "./read-descriptors.ts";
import type { RuleClock } from "./rules/field-rules.ts";
import { RuleBook } from "./rules/rule-book.ts";
import type { MethodType, ServiceType } from "./types.ts";

/** A file of descriptors, and the rules that it has. */
export interface DescribedApi {
  readonly services: ReadonlyMap<string, ServiceType>;
  readonly book: RuleBook;
  /** Rules that nobody enforces, and who has them first, as in `CEL of fields (orders.v1.Order.id)`. */
  readonly unenforced: readonly string[];
}

/** The error says what is wrong with the file. */
export function* readApi(bytes: Buffer, clock: RuleClock): Steps<Result<DescribedApi, string>> {
  const read = yield* readDescriptors(bytes);
  if (!read.ok) return err(read.error);
  const loose = new Map<string, { readonly user: string; count: number }>();
  const tell = (what: string, user: string): void => {
    const known = loose.get(what);
    if (known === undefined) loose.set(what, { user, count: 1 });
    else known.count++;
  };
  const { services } = read.value;
  const inputs = new Set([...services.values()].flatMap(({ methods }) => methods.map(({ input }) => input)));
  const book = new RuleBook([...inputs], clock, tell);
  const unenforced = [...loose].map(([what, { user, count }]) => {
    return `${what} (${count === 1 ? "" : `${count} times, first `}${user})`;
  });
  return ok({ services, book, unenforced });
}

/** The method that is called by `orders.v1.Orders/Create`. */
export function methodOf({ services }: Pick<DescribedApi, "services">, name: string): MethodType | null {
  const slash = name.indexOf("/");
  const methods = services.get(name.slice(0, slash))?.methods ?? [];
  return methods.find((method) => method.name === name.slice(slash + 1)) ?? null;
}

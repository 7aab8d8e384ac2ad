import { inPlaceParts, type Subschema } from "./subschema.ts";

/** What is wrong with the way in which schemas apply each other to one value. */
export interface OrderFault {
  readonly schema: Subschema;
  readonly text: string;
}

/**
 * All schemas, each behind those that it applies to the same value; or a fault where one would apply itself without end,
 * or where so many stand in a row that they take more stack than there is.
 */
export function inOrder(all: readonly Subschema[], chainMax: number): readonly Subschema[] | OrderFault {
  // Most plans have none that apply another.
  if (all.every((schema) => inPlaceParts(schema).length === 0)) return all;
  const lengths = new Map<Subschema, number>();
  const open = new Set<Subschema>();
  const ordered: Subschema[] = [];
  for (const start of all) {
    if (inPlaceParts(start).length === 0) {
      if (!lengths.has(start)) ordered.push(start);
      lengths.set(start, 1);
      continue;
    }
    const pending: { schema: Subschema; isReady: boolean }[] = [{ schema: start, isReady: false }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { schema, isReady } = next;
      if (isReady) {
        open.delete(schema);
        const length = 1 + Math.max(0, ...inPlaceParts(schema).map((part) => lengths.get(part) ?? 0));
        if (length > chainMax)
          return { schema, text: `stands before more than ${chainMax} schemas in a row for one value; leave some out` };
        lengths.set(schema, length);
        ordered.push(schema);
      } else if (open.has(schema)) {
        return { schema, text: "leads back to itself for the same value and would be judged without end" };
      } else if (!lengths.has(schema)) {
        open.add(schema);
        pending.push({ schema, isReady: true });
        for (const part of inPlaceParts(schema)) if (!lengths.has(part)) pending.push({ schema: part, isReady: false });
      }
    }
  }
  return ordered;
}

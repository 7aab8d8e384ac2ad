/** A value that conditions compare with, a moment as Unix milliseconds. */
export type Scalar = string | number | boolean | null;

type Kind = "text" | "number" | "time" | "bool" | "null";

/** What a value may still be, once some comparisons of it hold. Immutable. */
export interface Domain {
  /** Null: any. */
  readonly kind: Kind | null;
  /** Null: whatever the rest allows. */
  readonly among: readonly Scalar[] | null;
  readonly except: readonly Scalar[];
  readonly from: number;
  readonly isFromOpen: boolean;
  readonly to: number;
  readonly isToOpen: boolean;
  /** The text begins so. */
  readonly prefix: string;
  /** Two demands that no value meets. */
  readonly isEmpty: boolean;
}

export const ANYTHING: Domain = {
  kind: null,
  among: null,
  except: [],
  from: Number.NEGATIVE_INFINITY,
  isFromOpen: false,
  to: Number.POSITIVE_INFINITY,
  isToOpen: false,
  prefix: "",
  isEmpty: false,
};

/** One comparison of a value. */
export type Demand =
  | { readonly is: "among"; readonly values: readonly Scalar[]; readonly kind: Kind | null }
  | { readonly is: "except"; readonly values: readonly Scalar[] }
  | { readonly is: "<" | "<=" | ">" | ">="; readonly bound: number; readonly kind: "number" | "time" }
  | { readonly is: "prefix"; readonly text: string }
  | { readonly is: "notPrefix"; readonly text: string };

export function kindOfScalar(value: Scalar): Kind {
  if (value === null) return "null";
  if (typeof value === "string") return "text";
  return typeof value === "number" ? "number" : "bool";
}

/** What is left of a domain where a comparison holds as well. */
export function narrow(domain: Domain, demand: Demand): Domain {
  switch (demand.is) {
    case "among": {
      const among = demand.values.filter((value) => domain.among === null || domain.among.includes(value));
      return settled({ ...withKind(domain, demand.kind), among });
    }
    case "except":
      return settled({ ...domain, except: [...domain.except, ...demand.values] });
    case "prefix": {
      const longer = demand.text.length > domain.prefix.length ? demand.text : domain.prefix;
      const fits = longer.startsWith(demand.text) && longer.startsWith(domain.prefix);
      const narrowed = withKind(domain, "text");
      return settled({ ...narrowed, prefix: longer, isEmpty: narrowed.isEmpty || !fits });
    }
    case "notPrefix": {
      const { among, prefix } = domain;
      const left = among?.filter((value) => typeof value !== "string" || !value.startsWith(demand.text)) ?? null;
      return settled({ ...domain, among: left, isEmpty: domain.isEmpty || prefix.startsWith(demand.text) });
    }
    default:
      return settled(bounded(withKind(domain, demand.kind), demand));
  }
}

function withKind(domain: Domain, kind: Kind | null): Domain {
  if (kind === null || domain.kind === kind) return domain;
  return { ...domain, kind, isEmpty: domain.isEmpty || domain.kind !== null };
}

function bounded(domain: Domain, { is, bound }: Extract<Demand, { bound: number }>): Domain {
  const isOpen = is === "<" || is === ">";
  if (is === "<" || is === "<=") {
    const isTighter = bound < domain.to || (bound === domain.to && isOpen);
    return isTighter ? { ...domain, to: bound, isToOpen: isOpen } : domain;
  }
  const isTighter = bound > domain.from || (bound === domain.from && isOpen);
  return isTighter ? { ...domain, from: bound, isFromOpen: isOpen } : domain;
}

function settled(domain: Domain): Domain {
  if (domain.isEmpty) return domain;
  const { from, to, isFromOpen, isToOpen, kind, except } = domain;
  if (from > to || (from === to && (isFromOpen || isToOpen))) return { ...domain, isEmpty: true };
  const all = domain.among ?? (kind === "bool" ? [true, false] : from === to ? [from] : null);
  if (all === null) return domain;
  const among = all.filter((value) => !except.includes(value) && fits(domain, value));
  return { ...domain, among, isEmpty: among.length === 0 };
}

function fits({ kind, from, to, isFromOpen, isToOpen, prefix }: Domain, value: Scalar): boolean {
  if (typeof value === "number")
    return value >= from && value <= to && !(isFromOpen && value === from) && !(isToOpen && value === to);
  if (kind !== null && kind !== kindOfScalar(value)) return false;
  return prefix === "" || (typeof value === "string" && value.startsWith(prefix));
}

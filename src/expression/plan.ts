import { AMBIGUOUS } from "../attributes/types.ts";
import { fault, isPresent, itemAt, member, present, reader } from "./access.ts";
import { binaryRun } from "./binary.ts";
import { callOf, hint, prepared, typeOfCall } from "./calls.ts";
import { FUNCTIONS } from "./functions.ts";
import { isMacro, planMacro } from "./macros.ts";
import { typeOfBinary } from "./operators.ts";
import type { Environment, PartPlanner, Planned, Run, Variable } from "./planned.ts";
import { ExpressionFault, type Node } from "./syntax.ts";
import { BOOL, DOUBLE, DYN, INT, isDyn, join, listOf, NULL, STRING, type Type, typeText } from "./types.ts";
import { EvalFault, fromJson, isInt } from "./values.ts";

type Of<Kind extends Node["kind"]> = Extract<Node, { kind: Kind }>;

/** Tree → closures, each of which knows all that can be known at load. Throws `ExpressionFault` where it makes no sense. */
export class Planner<Subject> implements PartPlanner<Subject> {
  readonly #environment: Environment<Subject>;
  /** Names that macros bind, the innermost last; each has the slot of its depth. */
  readonly #locals: { readonly name: string; readonly type: Type }[] = [];
  readonly variables: Set<string> = new Set();

  constructor(environment: Environment<Subject>) {
    this.#environment = environment;
  }

  plan(node: Node): Planned<Subject> {
    switch (node.kind) {
      case "literal":
        return literal(node.value);
      case "name":
      case "select":
      case "index":
        return this.#planAccess(node);
      case "call":
        return this.#planCall(node);
      case "list":
        return this.#planList(node);
      case "unary":
        return this.#planUnary(node);
      case "binary":
        return this.#planBinary(node);
      case "conditional":
        return this.#planConditional(node);
    }
  }

  /** `body` with `name` bound to the slot that it gets. */
  within<T>(name: string, type: Type, body: (slot: number) => T): T {
    const slot = this.#locals.length;
    this.#locals.push({ name, type });
    const result = body(slot);
    this.#locals.pop();
    return result;
  }

  /** The variable that a chain of names leads to; null where the chain begins with something else. */
  #variableAt(node: Node): Variable<Subject> | null {
    const path = pathOf(node);
    if (path === null || this.#locals.some(({ name }) => name === path[0])) return null;
    const found = this.#environment.variable(path);
    if (!found.ok) throw new ExpressionFault(startOf(node), found.error);
    this.variables.add(found.value.text);
    return found.value;
  }

  #planAccess(node: Of<"name"> | Of<"select"> | Of<"index">): Planned<Subject> {
    const variable = this.#variableAt(node);
    if (variable !== null) return { type: variable.type, run: reader(variable) };
    if (node.kind === "name") return this.#planLocal(node.name);
    const of = this.plan(node.of);
    if (node.kind === "select") {
      if (!isDyn(of.type)) throw new ExpressionFault(node.at, `a ${typeText(of.type)} has no members`);
      const { name } = node;
      return { type: DYN, run: (evaluation) => present(member(of.run(evaluation), name), name) };
    }
    return this.#planIndex(node, of);
  }

  #planLocal(name: string): Planned<Subject> {
    const slot = this.#locals.findLastIndex((local) => local.name === name);
    const type = this.#locals[slot]?.type ?? DYN;
    return { type, run: ({ locals }) => locals[slot] };
  }

  #planIndex(node: Of<"index">, of: Planned<Subject>): Planned<Subject> {
    const key = this.plan(node.key);
    if (of.type.name !== "list" && !isDyn(of.type))
      throw new ExpressionFault(node.at, `a ${typeText(of.type)} has no items`);
    if (of.type.name === "list" && key.type.name !== "int" && !isDyn(key.type)) {
      throw new ExpressionFault(node.key.at, `items of a list have whole numbers, not a ${typeText(key.type)}`);
    }
    const run: Run<Subject> = (evaluation) => {
      const container = of.run(evaluation);
      if (container instanceof EvalFault) return container;
      const at = key.run(evaluation);
      return at instanceof EvalFault ? at : itemAt(container, fromJson(at));
    };
    return { type: of.type.item ?? DYN, run };
  }

  /** `has(jwt.tenant)`: whether it is there. */
  #planHas(node: Of<"call">): Planned<Subject> {
    const [arg] = node.args;
    if (arg === undefined || node.args.length > 1 || (arg.kind !== "select" && arg.kind !== "index")) {
      throw new ExpressionFault(node.at, "'has' takes one name with a dot in it, as in has(jwt.tenant)");
    }
    const variable = this.#variableAt(arg);
    if (variable !== null) {
      const ambiguous = new EvalFault(`${variable.text} has no single reading`);
      return {
        type: BOOL,
        run: ({ subject }) => {
          if (variable.has !== undefined) return variable.has(subject);
          const value = variable.read(subject);
          return value === AMBIGUOUS ? ambiguous : value !== undefined;
        },
      };
    }
    if (arg.kind === "index")
      throw new ExpressionFault(arg.at, "'has' takes a member with a dot, as in has(item.price)");
    const of = this.plan(arg.of);
    if (!isDyn(of.type)) throw new ExpressionFault(arg.at, `a ${typeText(of.type)} has no members`);
    return {
      type: BOOL,
      run: (evaluation) => isPresent(of.run(evaluation), arg.name),
    };
  }

  #planCall(node: Of<"call">): Planned<Subject> {
    const { name, target, args } = node;
    if (name === "has" && target === null) return this.#planHas(node);
    if (target !== null && isMacro(name)) return planMacro(this, name, { ...node, target });
    const spec = this.#environment.functions?.get(name) ?? FUNCTIONS.get(name);
    if (spec === undefined || (target === null ? spec.form === "method" : spec.form === "function")) {
      throw new ExpressionFault(
        node.at,
        `there is no ${target === null ? "function" : "method"} '${name}'; ${hint(name, target !== null)}`,
      );
    }
    const given = target === null ? args : [target, ...args];
    const planned = given.map((arg) => this.plan(arg));
    const type = typeOfCall(
      spec,
      planned.map((one) => one.type),
      node,
    );
    return {
      type,
      run: callOf(
        prepared(spec, planned, given),
        planned.map(({ run }) => run),
      ),
    };
  }

  #planList(node: Of<"list">): Planned<Subject> {
    const items = node.items.map((item) => this.plan(item));
    const [first] = items;
    const type = listOf(items.reduce((known, item) => join(known, item.type), first?.type ?? DYN));
    if (items.every(({ literal: value }) => value !== undefined)) {
      const values = Object.freeze(items.map((item) => item.literal));
      return { type, run: () => values };
    }
    const runs = items.map(({ run }) => run);
    return {
      type,
      run: (evaluation) => {
        const values: unknown[] = [];
        for (const run of runs) {
          const value = run(evaluation);
          if (value instanceof EvalFault) return value;
          values.push(value);
        }
        return values;
      },
    };
  }

  #planUnary({ at, op, of: inner }: Of<"unary">): Planned<Subject> {
    const of = this.plan(inner);
    const fits = op === "!" ? ["bool", "dyn"] : ["int", "double", "dyn"];
    if (!fits.includes(of.type.name)) throw new ExpressionFault(at, `'${op}' takes no ${typeText(of.type)}`);
    if (op === "!") {
      return {
        type: BOOL,
        run: (evaluation) => {
          const value = of.run(evaluation);
          return typeof value === "boolean" ? !value : fault(op, value);
        },
      };
    }
    return {
      type: of.type,
      run: (evaluation) => {
        const value = fromJson(of.run(evaluation));
        if (typeof value === "bigint") return isInt(-value) ? -value : new EvalFault("a number beyond 64 bits");
        return typeof value === "number" ? -value : fault(op, value);
      },
    };
  }

  #planBinary(node: Of<"binary">): Planned<Subject> {
    const { at, op } = node;
    const left = this.plan(node.left);
    const right = this.plan(node.right);
    const type = typeOfBinary(op, left.type, right.type);
    if (typeof type === "string") throw new ExpressionFault(at, type);
    return { type, run: binaryRun(op, left, right) };
  }

  #planConditional(node: Of<"conditional">): Planned<Subject> {
    const test = this.plan(node.test);
    if (test.type.name !== "bool" && !isDyn(test.type))
      throw new ExpressionFault(node.at, `'?' takes no ${typeText(test.type)}`);
    const yes = this.plan(node.yes);
    const no = this.plan(node.no);
    return {
      type: join(yes.type, no.type),
      run: (evaluation) => {
        const chosen = test.run(evaluation);
        if (typeof chosen !== "boolean") return fault("?", chosen);
        return chosen ? yes.run(evaluation) : no.run(evaluation);
      },
    };
  }
}

const TYPES: Readonly<Record<string, Type>> = { bigint: INT, number: DOUBLE, string: STRING, boolean: BOOL };

function literal<Subject>(value: bigint | number | string | boolean | null): Planned<Subject> {
  return { type: value === null ? NULL : (TYPES[typeof value] ?? DYN), run: () => value, literal: value };
}

/** Names of a chain that begins with a name; null for any other. */
function pathOf(node: Node): readonly string[] | null {
  if (node.kind === "name") return [node.name];
  if (node.kind === "select") {
    const path = pathOf(node.of);
    return path === null ? null : [...path, node.name];
  }
  if (node.kind !== "index" || node.key.kind !== "literal" || typeof node.key.value !== "string") return null;
  const path = pathOf(node.of);
  return path === null ? null : [...path, node.key.value];
}

function startOf(node: Node): number {
  return node.kind === "select" || node.kind === "index" ? startOf(node.of) : node.at;
}

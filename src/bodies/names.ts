/**
 * What services make of the name of a parameter, of a query or of a form. docs/one-reading.md shows this table, and
 * test/bodies/names.test.ts tries each row, some against the real thing.
 */
export interface NameReading {
  readonly who: string;
  /** A spelling, decoded, and the name that it is there. */
  readonly example: readonly [spelling: string, name: string];
  readonly what: string;
  readonly source: string;
}

export const NAME_READINGS: readonly NameReading[] = [
  {
    who: "PHP",
    example: ["user.id", "user_id"],
    what: "`.` and blank are `_`",
    source: "https://www.php.net/manual/en/language.variables.external.php",
  },
  {
    who: "PHP",
    example: ["user[id", "user_id"],
    what: "`[` that nothing closes is `_`",
    source: "php_register_variable_ex in php-src, main/php_variables.c",
  },
  {
    who: "PHP",
    example: ["  limit", "limit"],
    what: "blanks in front are not there",
    source: "php_register_variable_ex in php-src, main/php_variables.c",
  },
  {
    who: "PHP, C",
    example: ["limit\0x", "limit"],
    what: "NUL ends the name",
    source: "php_register_variable_ex in php-src, main/php_variables.c",
  },
  {
    who: "PHP, Rack, qs (Express)",
    example: ["limit[x]", "limit"],
    what: "brackets lead into the value: a list or an object of the name before them",
    source: "https://www.npmjs.com/package/qs, https://github.com/rack/rack/blob/main/lib/rack/query_parser.rb",
  },
  {
    who: "Rack, qs",
    example: ["[limit]", "limit"],
    what: "without a name before them, the first name inside is the name",
    source: "https://github.com/rack/rack/blob/main/lib/rack/query_parser.rb",
  },
  {
    who: "Rack",
    example: ["limit]", "limit"],
    what: "`]` that nothing opens ends the name",
    source: "https://github.com/rack/rack/blob/main/lib/rack/query_parser.rb",
  },
  {
    who: "PHP, qs",
    example: ["tags[0]", "tags[]"],
    what: "a number in brackets is an item of the list",
    source: "https://www.npmjs.com/package/qs",
  },
  {
    who: "qs, Rack",
    example: ["[page][size]", "page[size]"],
    what: "so is the first name inside with steps behind it",
    source: "https://www.npmjs.com/package/qs",
  },
  {
    who: "qs with allowDots, ASP.NET, Spring",
    example: ["page.size", "page[size]"],
    what: "a dot is a step, as brackets are",
    source: "https://www.npmjs.com/package/qs",
  },
  {
    who: "qs with allowDots, ASP.NET, Spring",
    example: ["limit.x", "limit"],
    what: "a dot leads into the value",
    source: "https://www.npmjs.com/package/qs",
  },
  {
    who: "ASP.NET",
    example: ["LIMIT", "limit"],
    what: "names are equal in any case",
    source: "https://learn.microsoft.com/aspnet/core/mvc/models/model-binding",
  },
  {
    who: "Spring",
    example: ["_limit", "limit"],
    what: "a marker: the field is there and empty, as of a box that is not ticked",
    source: "org.springframework.web.bind.WebDataBinder, DEFAULT_FIELD_MARKER_PREFIX",
  },
  {
    who: "Spring",
    example: ["!limit", "limit"],
    what: "a marker: the field's value where none is sent",
    source: "org.springframework.web.bind.WebDataBinder, DEFAULT_FIELD_DEFAULT_PREFIX",
  },
];

/** Those that take a name as it is: Django, Flask, FastAPI, Tornado and Go make nothing else of it. */

/** Every name, folded, that one of the table's services may read where `name`, decoded, is sent. At least one. */
export function namesRead(name: string): readonly string[] {
  if (PLAIN.test(name)) return [name];
  const nul = name.indexOf("\0", 1);
  const text = foldCase((nul < 0 ? name : name.slice(0, nul)).replaceAll("\0", "")).trim();
  const names = new Set([underscored(text), underscored(rootOf(text))]);
  names.add(underscored(rootOf(text).split(".", 1)[0] ?? ""));
  for (const read of [...names]) if (/^[_!]./.test(read)) names.add(read.slice(1));
  names.delete("");
  return [...names];
}

/** Names of which every service makes the same, and that are folded as they are. */
const PLAIN = /^[a-z0-9](?:[a-z0-9_-]*)$/;

/** A name as it is declared, in the form in which `namesRead` gives names. */
export function foldName(name: string): string {
  return underscored(foldCase(name));
}

/** Without case: letters that are one in their upper case are one in the lower, as `K` and the Kelvin sign. */
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase();
}

/** What stands before the first bracket, or between the first two where nothing does. */
function rootOf(name: string): string {
  return (
    name
      .split(/[[\]]/)
      .find((part) => part.trim() !== "")
      ?.trim() ?? ""
  );
}

function underscored(name: string): string {
  return name.replace(/[\s.[]/g, "_");
}

/** `filter[status]`: one step into a parameter, as the style deepObject writes it. */
const ONE_STEP = /^([^[\]]+)\[([^[\]]*)\]$/;

/** The name and the step of `filter[status]`; null for what is written otherwise. */
export function oneStepInto(name: string): readonly [name: string, step: string] | null {
  const [, root = "", step = ""] = ONE_STEP.exec(name) ?? [];
  return root === "" ? null : [root, step];
}

const STEPS = /^([^[\]]+)((?:\[[^[\]]*\])+)$/;

/** The name and all steps of `items[0][name]`; null for what is written otherwise. */
export function stepsInto(name: string): readonly [name: string, steps: readonly string[]] | null {
  const [, root, steps] = STEPS.exec(name) ?? [];
  return root === undefined || steps === undefined ? null : [root, steps.slice(1, -1).split("][")];
}

/** The steps of a name as services with brackets, and most of them with dots, read it; folded. One step is a plain name. */
function pathOf(name: string): readonly string[] {
  const [root = "", ...steps] = foldCase(name.split("\0", 1)[0] ?? "").split("[");
  const inside = steps.map((step) => step.split("]", 1)[0] ?? "");
  const all = root.trim() === "" ? inside : [root.split("]", 1)[0] ?? "", ...inside];
  return all.flatMap((step) => step.split(".")).map((step) => step.trim());
}

/** A declared name that has steps itself, as `tags[]` and `page[size]`. */
class SteppedName {
  readonly name: string;
  readonly path: readonly string[];

  constructor(name: string) {
    this.name = name;
    this.path = pathOf(name);
  }

  /** Whether one value is within the other: qs makes of `page[size]=5&page=size` a size that is `true`. */
  meets(sent: readonly string[]): boolean {
    // `sort` beside `sort.by` is a name of its own to nearly all.
    if (sent.length < this.path.length && !this.name.includes("[")) return false;
    return this.path.every((step, at) => {
      const other = sent[at];
      // Of a list any step is an item.
      return other === undefined || step === "" || step === other || (other === "" && INDEX.test(step));
    });
  }
}

const INDEX = /^\d+$/;

/** Declared names, and what else services take for them. */
export class DeclaredNames {
  readonly #names: ReadonlySet<string>;
  readonly #deep: ReadonlySet<string>;
  readonly #nested: ReadonlySet<string>;
  readonly #byFolded: ReadonlyMap<string, string>;
  /** By their first step. */
  readonly #stepped: ReadonlyMap<string, readonly SteppedName[]>;

  /**
   * `deep`: names of which only one step into them is sent, as `filter[status]`, and that themselves are another spelling.
   * `nested`: names of which any number of steps is.
   */
  constructor(names: readonly string[], deep: readonly string[] = [], nested: readonly string[] = []) {
    this.#names = new Set(names);
    this.#deep = new Set(deep);
    this.#nested = new Set(nested);
    this.#byFolded = new Map([...names, ...deep, ...nested].map((name) => [foldName(name), name]));
    const stepped = names.filter((name) => /[.[]/.test(name)).map((name) => new SteppedName(name));
    this.#stepped = Map.groupBy(stepped, ({ path }) => path[0] ?? "");
  }

  has(name: string): boolean {
    if (this.#names.has(name)) return true;
    if (this.#nested.size > 0 && this.#nested.has(stepsInto(name)?.[0] ?? "")) return true;
    return this.#deep.size > 0 && this.#deep.has(oneStepInto(name)?.[0] ?? "");
  }

  /** The declared name that some service reads where `name`, which is not declared itself, is sent. */
  respelled(name: string): string | null {
    if (this.has(name)) return null;
    for (const read of namesRead(name)) {
      const meant = this.#byFolded.get(read);
      if (meant !== undefined) return meant;
    }
    return this.#stepped.size === 0 ? null : (this.#met(name) ?? this.#met(name.replace(/^[^[]+/, underscored)));
  }

  #met(name: string): string | null {
    const path = pathOf(name);
    return this.#stepped.get(path[0] ?? "")?.find((one) => one.meets(path))?.name ?? null;
  }
}

/**
 * The declared cookie that ASP.NET, PHP, or whoever decodes names, reads where `name`, which is not declared itself, is
 * sent.
 */
export function respelledCookie(name: string, declared: ReadonlySet<string>): string | null {
  if (declared.has(name)) return null;
  const decoded = foldCase(decodeName(name));
  const read = [decoded, underscored(decoded.trimStart()), underscored(rootOf(decoded))];
  return [...declared].find((one) => read.includes(foldCase(one))) ?? null;
}

function decodeName(name: string): string {
  return name.replace(/%([\dA-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

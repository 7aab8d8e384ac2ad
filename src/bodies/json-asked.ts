/** Which members are told of an object whose names nobody asks for: all, those that hold members or items, or none. */
export type Others = typeof ALL_TOLD | typeof CONTAINERS_TOLD | typeof NONE_TOLD;
export const ALL_TOLD = 0;
export const CONTAINERS_TOLD = 1;
export const NONE_TOLD = 2;

/** Names that somebody asks for, told from all others by their bytes alone. */
export class AskedNames {
  /** By their number of bytes. */
  readonly #byLength: (readonly string[])[] = [];

  constructor(names: ReadonlySet<string>) {
    const most = Math.max(0, ...[...names].map(({ length }) => length));
    for (let length = 0; length <= most; length++) {
      this.#byLength.push([...names].filter((name) => name.length === length));
    }
  }

  /** The one that these bytes are, which are plain ASCII; null for none. */
  find(bytes: Uint8Array, from: number, to: number): string | null {
    const names = to - from < this.#byLength.length ? (this.#byLength[to - from] as readonly string[]) : NO_NAMES;
    for (let at = 0; at < names.length; at++) {
      const name = names[at] as string;
      if (isAt(name, bytes, from)) return name;
    }
    return null;
  }
}

const NO_NAMES: readonly string[] = [];

function isAt(name: string, bytes: Uint8Array, from: number): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) !== bytes[from + at]) return false;
  return true;
}

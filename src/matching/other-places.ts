import type { Steps } from "../support/turns.ts";
import { NO_VALUE } from "./method-table.ts";
import { NO_ROW, PathTrie } from "./path-trie.ts";
import { isFoldable, loosePath, looseTemplate, type Reading } from "./reading.ts";
import { SegmentTree } from "./segment-tree.ts";
import { shapeOf, type Template } from "./template.ts";

/** A place of a route tree. */
export interface Place {
  readonly template: Template;
  /** The caller's numbers of its routes, 1 or more; no two places share one. */
  readonly numbers: readonly number[];
  readonly isCaseSensitive: boolean;
}

/** The places as services of one reading see them: what is two here may be one there. */
export interface OtherPlaces {
  readonly reading: Reading;
  /** False where only paths that folding changes can have another place. */
  readonly isForAllPaths: boolean;
  /**
   * A number of the most specific place that such a service may see for `path`, where that is not the place of route
   * `number` (NO_VALUE: the path has none); else NO_VALUE.
   */
  find(path: string, number: number): number;
}

/** The places that are read so, each with what its template is then. */
export interface LooseReading {
  readonly reading: Reading;
  readonly places: readonly Place[];
  readonly templates: readonly Template[];
  /** No template changes, and none is left out. */
  readonly isSame: boolean;
}

/** Those by which some path may have another place than its own. */
export function* looseReadings(places: readonly Place[]): Steps<LooseReading[]> {
  const exact = yield* readLoosely("exact", places, places.length);
  const insensitive = places.filter(({ isCaseSensitive }) => !isCaseSensitive);
  const folded = yield* readLoosely("fold", insensitive, places.length);
  // What reads exactly and changes no template sees but escapes otherwise, and whoever folds decodes them, too.
  const isCovered = exact.isSame && insensitive.length === places.length;
  return [...(isCovered ? [] : [exact]), ...(insensitive.length > 0 ? [folded] : [])];
}

/** `count`: of all places, those included that are not read so. */
function* readLoosely(reading: Reading, places: readonly Place[], count: number): Steps<LooseReading> {
  const templates: Template[] = [];
  let isSame = places.length === count;
  for (const { template } of places) {
    const loose = looseTemplate(template, reading);
    templates.push(loose);
    isSame &&= loose === template;
    yield;
  }
  return { reading, places, templates, isSame };
}

/** Places some of whose paths may have another; all others need no look into the tables. */
export function* contestedPlaces(readings: readonly LooseReading[]): Steps<ReadonlySet<Place>> {
  const contested = new Set<Place>();
  for (const { places, templates } of readings) {
    const tree = new SegmentTree();
    for (const template of templates) {
      tree.add(template);
      yield;
    }
    for (const [at, place] of places.entries()) {
      if (tree.mayBeBeaten(templates[at] as Template)) contested.add(place);
      yield;
    }
  }
  return contested;
}

/** `trie` holds all places as they are; the second word of a row is the number of one of its place's routes. */
export function* buildOtherPlaces(read: LooseReading, trie: PathTrie): Steps<OtherPlaces> {
  const { reading, places, templates, isSame } = read;
  const byShape = new Map<string, { template: Template; row: readonly [number, number]; id: number }>();
  const numberMax = places.reduce((max, { numbers }) => Math.max(max, ...numbers), 0);
  const placeOf = new Int32Array(numberMax + 1);
  for (const [at, { numbers }] of places.entries()) {
    const template = templates[at] as Template;
    const shape = shapeOf(template);
    const entry = byShape.get(shape) ?? { template, row: [0, numbers[0] ?? NO_VALUE], id: byShape.size + 1 };
    byShape.set(shape, entry);
    for (const number of numbers) placeOf[number] = entry.id;
    yield;
  }
  const isForAllPaths = templates.some((template, at) => template !== places[at]?.template);
  const looseTrie = isSame ? trie : yield* PathTrie.build([...byShape.values()]);
  return new LooseTable(reading, looseTrie, placeOf, isForAllPaths);
}

class LooseTable implements OtherPlaces {
  readonly reading: Reading;
  readonly isForAllPaths: boolean;
  readonly #trie: PathTrie;
  /** Route's number → its place as such a service sees it; 0 where the route is not read so. */
  readonly #placeOf: Int32Array;

  constructor(reading: Reading, trie: PathTrie, placeOf: Int32Array, isForAllPaths: boolean) {
    this.reading = reading;
    this.#trie = trie;
    this.#placeOf = placeOf;
    this.isForAllPaths = isForAllPaths;
  }

  find(path: string, number: number): number {
    if (!this.isForAllPaths && !isFoldable(path)) return NO_VALUE;
    const place = number < this.#placeOf.length ? (this.#placeOf[number] as number) : 0;
    if (place === 0 && number !== NO_VALUE) return NO_VALUE;
    const row = this.#trie.find(loosePath(path, this.reading));
    if (row === NO_ROW) return NO_VALUE;
    const other = this.#trie.words[row + 1] as number;
    return this.#placeOf[other] === place ? NO_VALUE : other;
  }
}

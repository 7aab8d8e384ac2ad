import type { TestWorld } from "../rehearsal/test-world.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { atOnce } from "../support/turns.ts";
import { Grid } from "./grid.ts";
import { callersOf, type Identity } from "./identities.ts";
import { type Judgement, judgeWitness } from "./judge.ts";
import { RouteTallies, type RouteTally } from "./route-tallies.ts";
import type { SchemaSource } from "./schema-source.ts";
import { type Place, placesOf, type Side, sideOf } from "./sides.ts";
import { type Direction, textChanges } from "./text-changes.ts";
import { type DetailedChange, detailed } from "./text-details.ts";
import { explainCommandLine, showing, type Witness, whoAsks } from "./witness.ts";

/**
 * `refused`: both deny, and say it otherwise. `sent`: both allow, and the service gets something else. `audited`: both allow, and
 * checks that only audit say something else.
 */
export type DifferenceKind = Exclude<Direction, "changed"> | "refused" | "sent" | "audited";

/** What matters most comes first. */
const KINDS: readonly DifferenceKind[] = ["opened", "loosened", "closed", "tightened", "audited", "sent", "refused"];

/** Requests that the second policy treats otherwise in one way. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Template of the route. */
  readonly route: string;
  readonly methods: readonly string[];
  readonly before: string;
  readonly after: string;
  /** What of it, where the service gets something else. */
  readonly parts: readonly string[];
  /** Who: `nobody`, or as `explain --as` takes it; the first ones. */
  readonly identities: readonly string[];
  readonly requests: number;
  readonly witness: Witness;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** What the text says otherwise, and no request of the grid shows. */
  readonly changes: readonly DetailedChange[];
  /** Requests that both policies were asked about. */
  readonly requests: number;
  /** Requests of the grid that were left out, for it would have been too large. */
  readonly leftOut: number;
  /** Of those that were asked about: what a policy refused because it hangs on others, whom nobody asked. */
  readonly unasked: number;
  /** Of the first policy's verdicts: how many requests it allows; and both of them. */
  readonly allowed: { readonly before: number; readonly after: number; readonly both: number };
  /** First request that both allow. */
  readonly allowedByBoth: Witness | null;
  /** Neither policy lets a client without a certificate in, so that nothing more was judged. */
  readonly needsCertificates: boolean;
  /** Of the second policy. */
  readonly routes: ReadonlyMap<string, RouteTally>;
}

interface Gathered extends Difference {
  readonly methods: string[];
  readonly identities: string[];
  requests: number;
}

/** One of two policies. */
export interface Compared {
  readonly world: TestWorld;
  readonly schemas: SchemaSource;
}

/**
 * Both worlds are of policies compiled with their values kept. `nowMs`: the time at which every request comes. `onRequest` hears
 * after each how many there were.
 */
export async function compare(
  { world: before, schemas: schemasBefore }: Compared,
  { world: after, schemas: schemasAfter }: Compared,
  nowMs: number,
  further: readonly Identity[] = [],
  onRequest: (requests: number) => void = () => {},
): Promise<Comparison> {
  const sides = [sideOf(before.snapshot, schemasBefore), sideOf(after.snapshot, schemasAfter)];
  const places = placesOf(sides);
  const grid = new Grid(sides, { callers: callersOf([before.snapshot, after.snapshot]), further, nowMs });
  const gathered = new Map<string, Gathered>();
  const choice: Choice = { asked: new Set(), leftOut: 0 };
  const allowed = { before: 0, after: 0, both: 0 };
  let allowedByBoth: Witness | null = null;
  const routes = new RouteTallies(after.snapshot.routeList.map(({ template }) => template));
  let handshakes = 0;
  let unasked = 0;
  const show = (text: string): string => after.concealed.in(before.concealed.in(text));
  for (const { place, witness: asked } of chosen(places, grid, choice)) {
    onRequest(choice.asked.size);
    const was = await judgeWitness(before, asked, nowMs);
    const is = await judgeWitness(after, asked, nowMs);
    if (was === null || is === null) continue;
    const witness = showing(asked, show);
    if (was.outcome.startsWith("handshake") && is.outcome.startsWith("handshake")) handshakes++;
    if (was.isUnasked || is.isUnasked) unasked++;
    routes.note(is, witness);
    if (was.isAllowed) allowed.before++;
    if (is.isAllowed) allowed.after++;
    if (was.isAllowed && is.isAllowed) {
      allowed.both++;
      allowedByBoth ??= witness;
    }
    gather(gathered, place.template, witness, was, is);
  }
  const differences = [...gathered.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  const shownOn = new Set(differences.map(({ route }) => route));
  const changes = detailed(atOnce(textChanges(before.snapshot, after.snapshot)), sides, shownOn, show);
  const requests = choice.asked.size;
  const needsCertificates = handshakes > 0 && handshakes === requests;
  const leftOut = choice.leftOut + grid.leftOut;
  const { byRoute } = routes;
  return {
    differences,
    changes,
    requests,
    leftOut,
    unasked,
    allowed,
    allowedByBoth,
    needsCertificates,
    routes: byRoute,
  };
}

interface Choice {
  /** Each request once. */
  readonly asked: Set<string>;
  leftOut: number;
}

interface Chosen {
  readonly place: Place;
  readonly witness: Witness;
}

/** Places of which the text is another come first, and get half of all, so that one change among a thousand routes has its due. */
function* chosen(places: readonly Place[], grid: Grid, choice: Choice): Generator<Chosen> {
  const { diffWitnessesMax: most, diffPlaceWitnessesMin: least } = DEFAULTS;
  const changed = new Set(places.filter(isChanged));
  const others = places.filter((place) => !changed.has(place));
  for (const group of [[...changed], others]) {
    const budget = group === others || others.length === 0 ? most : most / 2;
    const share = Math.max(least, Math.floor((budget - choice.asked.size) / Math.max(1, group.length)));
    for (const place of group) {
      let taken = 0;
      for (const witness of grid.witnesses(place)) {
        const key = explainCommandLine(witness, "");
        if (choice.asked.has(key)) continue;
        if (++taken > share) choice.leftOut++;
        else {
          choice.asked.add(key);
          yield { place, witness };
        }
      }
    }
  }
}

function isChanged({ routes }: Place): boolean {
  const texts = (side: Side): string =>
    JSON.stringify(
      routes.flatMap((one) => (one.side === side ? [[one.placed.route.methods, one.placed.settings]] : [])),
    );
  return new Set(routes.map(({ side }) => side)).size < 2 || new Set(routes.map(({ side }) => texts(side))).size > 1;
}

function gather(
  gathered: Map<string, Gathered>,
  template: string,
  witness: Witness,
  was: Judgement,
  is: Judgement,
): void {
  const kind = kindOf(was, is);
  if (kind === null) return;
  // Of the two that judged it, the one that says more: it denies, or is there at all.
  const isOld = kind === "closed" || kind === "loosened";
  const route = (isOld ? was.route : is.route) ?? was.route ?? is.route ?? template;
  const parts = kind === "sent" ? partsOf(was, is) : [];
  const [before, after] = [outcomeText(was), outcomeText(is)];
  const key = [kind, route, before, after, ...parts].join("\n");
  const known = gathered.get(key);
  const who = whoAsks(witness);
  if (known === undefined) {
    const { method } = witness;
    gathered.set(key, {
      kind,
      route,
      methods: [method],
      before,
      after,
      parts,
      identities: [who],
      requests: 1,
      witness,
    });
    return;
  }
  known.requests++;
  if (!known.methods.includes(witness.method)) known.methods.push(witness.method);
  if (!known.identities.includes(who)) known.identities.push(who);
}

function kindOf(was: Judgement, is: Judgement): DifferenceKind | null {
  if (was.isAllowed !== is.isAllowed) {
    if (is.isAllowed) return was.hasNoRoute ? "opened" : "loosened";
    return is.hasNoRoute ? "closed" : "tightened";
  }
  if (was.outcome !== is.outcome) return was.isAllowed ? "sent" : "refused";
  if (was.audited.join() !== is.audited.join()) return "audited";
  return partsOf(was, is).length > 0 ? "sent" : null;
}

/** With what is audited. */
function outcomeText({ outcome, audited }: Judgement): string {
  return audited.length === 0 ? outcome : `${outcome}, audits ${audited.join(", ")}`;
}

/** Names alone: what stands there may be a secret. */
function partsOf({ sent: was }: Judgement, { sent: is }: Judgement): readonly string[] {
  return [...new Set([...was.keys(), ...is.keys()])].filter((part) => was.get(part) !== is.get(part));
}

import { DEFAULTS } from "../support/defaults.ts";
import type { Actor, ObjectsUse, Span, Tally } from "./actor.ts";
import { type AnomalySubject, type Finding, keyOf, percentText, shortNumber, subjectOf, wideKey } from "./finding.ts";
import { ANOMALY_KINDS, type AnomalyKind, type AnomalySettings } from "./kinds.ts";
import { amountOf } from "./norm.ts";

/** Who is judged, and how it is named in events. */
export interface Suspect {
  readonly actor: Actor;
  readonly isCaller: boolean;
}

export interface ActorWorld {
  readonly nowMs: number;
  readonly settings: AnomalySettings;
  /** Since when anything is learnt. */
  readonly sinceMs: number;
}

/** Looks at an address or a caller that did something of note. */
export function judgeActor({ actor, isCaller }: Suspect, world: ActorWorld): readonly Finding[] {
  const who = isCaller ? { caller: actor.name } : { client: actor.name };
  const found: (Finding | null)[] = [];
  for (const span of [actor.short, actor.long]) {
    found.push(paths(actor, span, who, world), identities(actor, span, who, world));
  }
  found.push(networks(actor, who, world), denials(actor, who, world), hours(actor, who, world));
  if (actor.objects !== null) for (const use of actor.objects.values()) found.push(objects(use, who, world));
  // The short window tells it in the words of what happens now.
  const told = new Set<string>();
  return found.filter((one): one is Finding => {
    if (one === null) return false;
    const key = keyOf(one.kind, one.subject);
    return !told.has(key) && told.add(key) !== undefined;
  });
}

type Who = Partial<AnomalySubject>;

/** Null where it was told before. `others`: counts of the same in other windows, which have told it with this one. */
function finding(
  kind: AnomalyKind,
  who: Who,
  [tally, ...others]: readonly [Tally, ...(Tally | undefined)[]],
  nowMs: number,
  texts: Pick<Finding, "seen" | "expected">,
): Finding | null {
  tally.isAnomalous = true;
  if (!tally.telling.isNews(tally.figure, nowMs, ANOMALY_KINDS[kind].quietMs)) return null;
  for (const one of [tally, ...others]) one?.telling.told(one.figure, nowMs);
  return {
    kind,
    subject: subjectOf(who),
    figure: tally.figure,
    examples: tally.examples,
    ticks: 1,
    within: [wideKey(kind)],
    ...texts,
  };
}

const windowText = ({ lengthMs }: Span): string => (lengthMs === DEFAULTS.anomalyShortMs ? "10 minutes" : "a day");

/**
 * Whether so many stand beside what is honest: of many clients behind one address some always miss or mistype. Only very many do
 * not, the fewer of them the better the address is known.
 */
function isDiluted(
  tally: Tally,
  span: Span,
  share: number,
  limit: number,
  world: ActorWorld,
  firstMs: number,
): boolean {
  if (tally.marked >= span.requests * share) return false;
  const isKnown = span.startMs - firstMs >= world.settings.learnMs;
  if (!isKnown && span.lengthMs !== DEFAULTS.anomalyShortMs) return true;
  return tally.figure < (isKnown ? 3 : 10) * limit;
}

/** What is too much: some times the usual of this one, and the floor at least. */
function limitOf(tally: Tally, floor: number): number {
  return Math.max(floor, DEFAULTS.anomalyTimes * tally.usualFigure);
}

function expectedText(tally: Tally, limit: number): string {
  return `${shortNumber(tally.usualFigure)}, at most ${shortNumber(limit)}`;
}

function paths({ firstMs, long }: Actor, span: Span, who: Who, world: ActorWorld): Finding | null {
  const { settings, nowMs } = world;
  const factor = settings.factors.path_scan;
  const tally = span.tallies.paths;
  if (factor === null || tally?.telling.takeGrowth() !== true) return null;
  const isShort = span.lengthMs === DEFAULTS.anomalyShortMs;
  const limit = limitOf(tally, (isShort ? DEFAULTS.anomalyPathsMin : DEFAULTS.anomalyPathsLongMin) * factor);
  if (tally.figure < limit || isDiluted(tally, span, 0.5, limit, world, firstMs)) return null;
  const seen = `${tally.figure} different paths that are not there or are refused, in ${windowText(span)}`;
  return finding("path_scan", who, [tally, long.tallies.paths], nowMs, { seen, expected: expectedText(tally, limit) });
}

function identities({ firstMs, long }: Actor, span: Span, who: Who, world: ActorWorld): Finding | null {
  const { settings, nowMs } = world;
  const factor = settings.factors.credential_stuffing;
  const tally = span.tallies.identities;
  if (factor === null || tally?.telling.takeGrowth() !== true) return null;
  const isShort = span.lengthMs === DEFAULTS.anomalyShortMs;
  const floor = isShort ? DEFAULTS.anomalyIdentitiesMin : DEFAULTS.anomalyIdentitiesLongMin;
  const limit = limitOf(tally, floor * factor);
  if (tally.figure < limit || isDiluted(tally, span, 0.3, limit, world, firstMs)) return null;
  const seen = `${tally.figure} different credentials failed, in ${windowText(span)}`;
  const expected = expectedText(tally, limit);
  return finding("credential_stuffing", who, [tally, long.tallies.identities], nowMs, { seen, expected });
}

function networks({ short, firstMs }: Actor, who: Who, { settings, nowMs }: ActorWorld): Finding | null {
  const factor = settings.factors.replay;
  const tally = short.tallies.networks;
  if (factor === null || tally?.telling.takeGrowth() !== true) return null;
  const isKnown = nowMs - firstMs >= settings.learnMs;
  const floor = isKnown ? DEFAULTS.anomalyNetworksMin : DEFAULTS.anomalyNetworksNewMin;
  const limit = Math.max(floor * factor, 3 * tally.usualFigure);
  if (tally.figure < limit) return null;
  const seen = `one credential from ${tally.figure} networks in ${windowText(short)}`;
  return finding("replay", who, [tally], nowMs, { seen, expected: expectedText(tally, limit) });
}

function denials({ short: span, firstMs, lastReason }: Actor, who: Who, world: ActorWorld): Finding | null {
  const { settings, nowMs, sinceMs } = world;
  const factor = settings.factors.denial_burst;
  const tally = span.tallies.denials;
  if (factor === null || tally?.telling.takeGrowth() !== true || nowMs - sinceMs < settings.learnMs) return null;
  const limit = limitOf(tally, DEFAULTS.anomalyCallerDenialsMin * factor);
  if (tally.figure < limit || isDiluted(tally, span, 0.5, limit, world, firstMs)) return null;
  const seen = `${tally.figure} requests were refused in ${windowText(span)}`;
  const found = finding("denial_burst", who, [tally], nowMs, { seen, expected: expectedText(tally, limit) });
  if (found === null) return null;
  // A scan is refused a lot; it is told as what it is.
  const same = [
    keyOf("path_scan", who),
    keyOf("credential_stuffing", who),
    keyOf("denial_burst", { reason: lastReason }),
  ];
  return { ...found, within: [...found.within, ...same, wideKey("path_scan"), wideKey("credential_stuffing")] };
}

function hours({ hours: use, lastId, lastMs }: Actor, who: Who, { settings }: ActorWorld): Finding | null {
  const factor = settings.factors.unusual_time;
  if (factor === null || use === null || !use.isStrange || use.isTold) return null;
  if (use.inHour < DEFAULTS.anomalyHourRequestsMin * factor) return null;
  use.isTold = true;
  const hour = new Date(lastMs).toISOString().slice(11, 13);
  const usual = use.days.flatMap((days, at) => (days >= 1 ? [String(at).padStart(2, "0")] : []));
  return {
    kind: "unusual_time",
    subject: subjectOf(who),
    figure: use.inHour,
    seen: `${use.inHour} requests from ${hour}:00 UTC on`,
    expected: `requests in the hours ${usual.join(", ")}`,
    examples: [lastId],
    ticks: 1,
    within: [],
  };
}

function objects(use: ObjectsUse, who: Who, world: ActorWorld): Finding | null {
  const factor = world.settings.factors.id_enumeration;
  if (factor === null) return null;
  const { short, long, operation } = use;
  const { nowMs, settings } = world;
  const { anomalyMissingMin, anomalyMissingLongMin, anomalyIdsMin, anomalyIdsLongMin } = DEFAULTS;
  const isLearnt = operation.ids.isLearnt(nowMs, settings.learnMs, 20) || nowMs - world.sinceMs >= 2 * settings.learnMs;
  const others = isLearnt
    ? amountOf(operation.ids.meanBound(factor, DEFAULTS.anomalyObjectsDeviations))
    : Number.POSITIVE_INFINITY;
  const isGuessing = use.missing > use.requests / 2;
  const isGuessingLong = use.longMissing > use.longRequests / 2;
  const limit = limitOf(short, isGuessing ? anomalyMissingMin * factor : Math.max(anomalyIdsMin * factor, others));
  const limitLong = limitOf(
    long,
    isGuessingLong
      ? anomalyMissingLongMin * factor
      : Math.max(anomalyIdsLongMin * factor, isLearnt ? 2 * others : others),
  );
  const isShort = short.telling.takeGrowth() && short.figure >= limit;
  const isLong = long.telling.takeGrowth() && long.figure >= limitLong;
  if (!isShort && !isLong) return null;
  const tally = isShort ? short : long;
  const how = [
    ...(isGuessing || isGuessingLong ? [`${percentText(use.longMissing / use.longRequests)} of them not there`] : []),
    ...(use.sequential > use.requests / 2 ? ["one after the other"] : []),
  ];
  const seen = `${tally.figure} different objects in ${isShort ? "10 minutes" : "a day"}${how.map((one) => `, ${one}`).join("")}`;
  const expected = expectedText(tally, isShort ? limit : limitLong);
  const subject = { ...who, operation: operation.name, policy: operation.policy };
  const found = finding("id_enumeration", subject, isShort ? [short, long] : [long, short], nowMs, { seen, expected });
  short.isAnomalous = true;
  if (found === null) return null;
  return { ...found, within: [...found.within, keyOf("id_enumeration", { operation: operation.name })] };
}

import type {
  Ask,
  Charts,
  Denials,
  Dom,
  PageDocument,
  PageNode,
  PageStatus,
  Rooms,
  RowActs,
  Told,
  Views,
} from "./dom.ts";

export interface PageParts {
  readonly page: PageDocument;
  readonly dom: Dom;
  readonly ask: Ask;
  readonly charts: Charts;
  readonly views: Views;
  readonly rooms: Rooms;
  readonly denials: Denials;
  readonly later: (work: () => void, ms: number) => unknown;
}

/** Polls, as long as somebody looks at the page. */
export function startPart({ page, dom, ask, charts, views, rooms, denials, later }: PageParts): void {
  const { make, find } = dom;
  const POLL_MS = 2000;
  /** The page shows these itself. */
  const OWN = ["/status", "/explain"];
  const SOON_DAYS = 14;
  const before = new Map<string, string>();
  let polls = 0;
  let polling: Promise<void> | null = null;
  let hasActed = false;

  /** What is the same stays as it is, so that nobody loses their place in it. */
  const put = (id: string, value: unknown, nodes: () => readonly PageNode[]): void => {
    const text = JSON.stringify(value);
    const place = find(id);
    // Whoever stands in it is not put out of it by what others do meanwhile.
    if (before.get(id) === text || (!hasActed && place.contains(page.activeElement))) return;
    before.set(id, text);
    place.replaceChildren(...nodes());
  };
  const say = (id: string, text: string): void => put(id, text, () => [make("span", {}, text)]);
  const listOf = (told: Told | null, name: string): readonly Record<string, unknown>[] =>
    told?.ok === true ? ((told.value as Record<string, Record<string, unknown>[]>)[name] ?? []) : [];

  const showLimits = async (has: (path: string) => boolean): Promise<void> => {
    const limits = listOf(await ask.get("/limits"), "limits");
    const quotas = has("/quotas") ? listOf(await ask.get("/quotas"), "quotas") : [];
    const callers = limits
      .flatMap(({ name, top }) => (top as Record<string, unknown>[]).map((one) => ({ limit: name, ...one }) as Row))
      .toSorted((a, b) => Number(b["denied"]) - Number(a["denied"]) || Number(b["requests"]) - Number(a["requests"]))
      .slice(0, 20);
    const used = quotas
      .flatMap(({ limit, quota, counts }) => (counts as Row[]).map((one) => ({ limit, quota, ...one }) as Row))
      .toSorted((a, b) => Number(a["remaining"]) / Number(a["quota"]) - Number(b["remaining"]) / Number(b["quota"]))
      .slice(0, 20);
    const rows = limits.map(({ name, description, near, denied }) => ({ limit: name, description, near, denied }));
    put("limits", [rows, callers, used], () => [
      views.view(rows, "limits", () => []),
      views.view(callers, "top callers", () => []),
      ...(has("/quotas") ? [views.view(used, "quotas, least left first", rooms.rowActs("/quotas"))] : []),
    ]);
  };
  type Row = Readonly<Record<string, unknown>>;

  /** What somebody should look at, of the rooms that the policy has. */
  const showApart = async (has: (path: string) => boolean): Promise<void> => {
    const rowsOf = async (
      room: string,
      query: string,
      member: string,
      names: readonly string[],
    ): Promise<Row[] | null> =>
      has(room)
        ? listOf(await ask.get(room + query), member)
            .filter((row) => row["state"] !== "ended")
            .map((row) => Object.fromEntries(names.map((name) => [name, row[name] ?? null])))
        : null;
    const anomalies = await rowsOf("/anomalies", "", "anomalies", [
      ...["kind", "since", "operation", "caller", "client", "reason", "seen", "expected", "policy", "id"],
    ]);
    const differences = await rowsOf("/candidate", "", "differences", [
      ...["route", "live", "candidate", "count", "livePlace", "candidatePlace"],
    ]);
    const drift = await rowsOf("/inventory", "?status=undeclared", "operations", [
      ...["method", "path", "exposure", "findings", "requests", "last"],
    ]);
    const tables: readonly [string, readonly Row[] | null, RowActs][] = [
      ["anomalies", anomalies, rooms.rowActs("/anomalies")],
      ["the candidate would decide otherwise", differences, () => []],
      ["operations that nothing declares", drift, () => []],
    ];
    const shown = tables.filter(([, rows]) => rows !== null);
    put("apart", shown, () =>
      shown.length === 0
        ? [make("p", {}, "The policy has none of 'anomalies', 'candidate' and 'inventory', which would tell.")]
        : shown.map(([label, rows, acts]) => views.view(rows, label, acts)),
    );
  };

  const stateOf = (status: PageStatus, policy: Record<string, unknown>): string => {
    const first = (policy["lastAttempt"] as { problems: readonly string[] } | undefined)?.problems[0] ?? "";
    const ends = [...status.certificates, ...status.revocationLists] as { days: number; use: string }[];
    const soon = ends.filter(({ days }) => days < SOON_DAYS);
    return [
      `${status.service} is ${status.ready ? "ready" : "not ready"}`,
      policy["stale"] === true ? `the policy on disk is refused: ${first}` : `policy ${policy["hash"]} is in force`,
      ...soon.map(({ use, days }) => `${use} ${days < 0 ? "has ended" : `ends in ${days} days`}`),
    ].join("; ");
  };

  const poll = async (): Promise<void> => {
    const told = await ask.get("/status");
    if (!told.ok) {
      say("state", `Postern does not answer: ${told.text}`);
      return;
    }
    const status = told.value as PageStatus;
    const has = (path: string): boolean => status.rooms.some((room) => room.path === path);
    charts.note(status, Date.parse(status.at));
    page.title = `${status.service}: postern`;
    rooms.follow(status.rooms.filter(({ path }) => !OWN.includes(path)));
    if (!ask.hasToken()) {
      say("acting", status.canAct ? "Read-only." : "Read-only: the policy has no admin token, so nobody acts here.");
    }
    if (has("/decisions")) await denials.follow();
    else find("denied").textContent = "This postern keeps no decisions: its policy has 'decisions: off'.";
    if (polls++ % 5 !== 0) return;
    const policy = await ask.get("/policy");
    if (policy.ok) {
      say("state", stateOf(status, policy.value as Record<string, unknown>));
      put("policy", policy.value, () => [views.view(policy.value, "policy", () => [])]);
    }
    put("ends", [status.certificates, status.revocationLists], () => [
      views.view(status.certificates, "certificates", () => []),
      views.view(status.revocationLists, "revocation lists", () => []),
    ]);
    await showLimits(has);
    await showApart(has);
    hasActed = false;
  };

  const round = async (): Promise<void> => {
    if (page.hidden) return;
    polling ??= poll().finally(() => {
      polling = null;
    });
    await polling;
  };
  rooms.onActed(async () => {
    await polling;
    hasActed = true;
    polls = 0;
    await round();
  });
  const goOn = (): void => {
    void round().finally(() => later(goOn, POLL_MS));
  };

  const input = find("token");
  find("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    ask.setToken(input.value);
    input.value = "";
    find("main").setAttribute("class", ask.hasToken() ? "acting" : "");
    say("acting", ask.hasToken() ? "Acting with the token, until this page is closed." : "Read-only.");
  });
  page.addEventListener("visibilitychange", () => void round());
  goOn();
}

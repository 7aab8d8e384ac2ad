import type { Ask, Charts, Denials, Dom, PageDocument, PageNode, PageStatus, Rooms, Told, Views } from "./dom.ts";

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
  let isPolling = false;

  /** What is the same stays as it is, so that nobody loses their place in it. */
  const put = (id: string, value: unknown, nodes: () => readonly PageNode[]): void => {
    const text = JSON.stringify(value);
    if (before.get(id) === text) return;
    before.set(id, text);
    find(id).replaceChildren(...nodes());
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
  };

  const round = async (): Promise<void> => {
    if (isPolling || page.hidden) return;
    isPolling = true;
    await poll().finally(() => {
      isPolling = false;
    });
  };
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

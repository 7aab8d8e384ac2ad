import type { Ask, Denials, Dom, PageDecision, PageNode, Rooms } from "./dom.ts";

/** The newest denials, each with its line of the policy; opened, in the words of `postern explain`. */
export function denialsPart({ make, find }: Dom, ask: Ask, rooms: Rooms): Denials {
  const ROWS = 50;
  /** As many as leave the figures in sight; style hides the others, but for one that is open or has the focus. */
  const FEW = 10;
  const rows: PageNode[] = [];
  let last = 0;
  let areAllShown = false;
  const more = make("button", { type: "button", "aria-controls": "denials" });
  const sayMore = (): void => {
    more.textContent = areAllShown ? `only the newest ${FEW}` : `all ${rows.length}`;
    more.setAttribute("aria-expanded", String(areAllShown));
    find("denials").setAttribute("class", areAllShown ? "all" : "");
  };
  more.addEventListener("click", () => {
    areAllShown = !areAllShown;
    sayMore();
  });

  const rowOf = (decision: PageDecision): PageNode => {
    const { id, atMs, status, method, path, client, reason, principal, denial } = decision;
    const who = principal === null ? client : `${principal.authenticator}/${principal.id}`;
    const summary = make(
      "summary",
      {},
      make("span", {}, new Date(atMs).toISOString().slice(11, 19)),
      make("span", {}, String(status)),
      make("span", { class: "long" }, `${method} ${path}`),
      make("b", {}, reason ?? ""),
      make("span", { class: "long" }, who),
      make("span", { class: "long" }, denial?.place ?? ""),
    );
    const why = denial === null ? "" : `${denial.seen}; wanted ${denial.wanted}`;
    const text = make("pre", { tabindex: 0, role: "group", "aria-label": `decision ${id}` }, why);
    const place = denial?.place ?? null;
    const acts = place === null ? [] : [rooms.stepButton(place, "audit")];
    const node = make("details", {}, summary, text, ...acts);
    node.addEventListener("toggle", () => {
      if (!node.open) return;
      void ask.get(`/explain?id=${encodeURIComponent(id)}`).then((told) => {
        text.textContent = told.ok ? String((told.value as { text: string }).text) : `${why}\n${told.text}`;
      });
    });
    return node;
  };

  return {
    follow: async () => {
      const told = await ask.get(`/decisions?which=denied&after=${last}`);
      if (!told.ok) return;
      const answer = told.value as { readonly last: number; readonly decisions: readonly PageDecision[] };
      // A smaller number is another process's.
      if (answer.last < last) for (const row of rows.splice(0)) row.remove();
      last = answer.last;
      for (const decision of answer.decisions.slice(-ROWS)) {
        const row = rowOf(decision);
        rows.push(row);
        find("denials").prepend(row);
      }
      while (rows.length > ROWS) rows.shift()?.remove();
      if (rows.length <= FEW) more.remove();
      else if (!more.isConnected) find("more").append(more);
      sayMore();
      find("denied").textContent = rows.length === 0 ? "Nothing was denied so far." : "Open one to see why.";
    },
  };
}

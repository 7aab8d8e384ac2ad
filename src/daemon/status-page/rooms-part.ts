import type { Ask, Dom, PageAct, PageDocument, PageNode, PageRoom, Rooms, RowActs, Told, Views } from "./dom.ts";

/** What parts of the process show at the admin port, each when it is opened; and what they do, for who has typed the token. */
export function roomsPart(page: PageDocument, { make, find }: Dom, ask: Ask, views: Views): Rooms {
  interface Shown {
    readonly node: PageNode;
    readonly load: () => Promise<void>;
    acts: readonly PageAct[];
  }
  const shown = new Map<string, Shown>();
  const nothing: RowActs = () => [];

  let refresh = (): Promise<void> => Promise.resolve();

  /** Where everybody sees it, wherever they are on the page, and a screen reader says it. */
  const tell = (text: string, mood: "asks" | "done" | "failed"): void => {
    find("told").setAttribute("class", mood);
    find("told").textContent = text;
  };

  interface Button {
    readonly path: string;
    /** Of the act. */
    readonly name: string;
    /** What stands on it; the act's name if absent. */
    readonly word?: string;
    /** What it acts on, for who hears the button alone. */
    readonly about: string;
    readonly settings: () => Readonly<Record<string, string>>;
  }

  /** A button that asks once more before it acts. */
  const button = ({ path, name: act, word: text = act, about, settings }: Button): PageNode => {
    const name = about === "" ? text : `${text} ${about}`;
    const node = make("button", { type: "button", class: "act", "aria-label": name }, text);
    let isSure = false;
    const word = (sure: boolean): void => {
      isSure = sure;
      node.textContent = sure ? `really ${text}?` : text;
      node.setAttribute("aria-label", sure ? `really ${name}?` : name);
    };
    const run = async (): Promise<void> => {
      const told = await ask.act(`${path}/${act}`, settings());
      tell(`${path}/${act}: ${told.ok ? JSON.stringify(told.value) : told.text}`, told.ok ? "done" : "failed");
      await shown.get(path)?.load();
      await refresh();
      // What it acted on may be gone, and the button with it: whoever goes by keyboard is not sent to the page's beginning. Who has
      // gone on to another button meanwhile stays there.
      if (!node.isConnected && page.activeElement === page.body) find("told").focus();
    };
    node.addEventListener("blur", () => {
      if (isSure) tell("", "done");
      word(false);
    });
    node.addEventListener("click", () => {
      const isMeant = isSure;
      word(!isMeant);
      if (isMeant) void run();
      else tell(`Once more to ${name}`, "asks");
    });
    return node;
  };

  const form = (act: PageAct, path: string): PageNode => {
    const inputs = act.asks.map((name) => {
      const id = `${path}-${act.name}-${name}`;
      const input = make("input", { id, autocomplete: "off" });
      return { name, input, parts: [make("label", { for: id }, name), input] };
    });
    const settings = (): Record<string, string> =>
      Object.fromEntries(
        inputs.filter(({ input }) => input.value !== "").map(({ name, input }) => [name, input.value]),
      );
    return make(
      "p",
      { class: "act" },
      ...inputs.flatMap(({ parts }) => parts),
      button({ path, name: act.name, about: "", settings }),
    );
  };

  /** What a check does for an hour, whatever the policy says. */
  const stepButton = (check: string, mode: string): PageNode =>
    button({
      path: "/ladder",
      name: "set",
      word: `${mode} for an hour`,
      about: check,
      settings: () => ({ check, mode, for: "1h" }),
    });

  const stepActs: RowActs = ({ name, mode }) =>
    typeof name === "string"
      ? ["audit", "enforce"].filter((one) => one !== mode).map((one) => stepButton(name, one))
      : [];

  const rowActs =
    (path: string): RowActs =>
    (row) => {
      // A check that no step is set for; others end theirs by what they say.
      if (path === "/ladder" && typeof row["until"] !== "string") return stepActs(row);
      const known: Readonly<Record<string, unknown>> = { ...row, key: row["key"] ?? row["id"] };
      return (shown.get(path)?.acts ?? []).flatMap((act) => {
        const settings = Object.fromEntries(act.asks.map((name) => [name, known[name]]));
        const values = Object.values(settings);
        if (values.length === 0 || !values.every((value) => typeof value === "string")) return [];
        const about = values.join(", ");
        return [button({ path, name: act.name, about, settings: () => settings as Record<string, string> })];
      });
    };

  const open = ({ path, acts }: PageRoom): Shown => {
    const place = make("div", {});
    const node = make("details", {}, make("summary", {}, path), ...acts.map((act) => form(act, path)), place);
    const put = (told: Told): void =>
      place.replaceChildren(
        told.ok ? views.view(told.value, path, acts.length === 0 ? nothing : rowActs(path)) : make("p", {}, told.text),
      );
    const load = async (): Promise<void> => {
      if (node.open) put(await ask.get(path));
    };
    node.addEventListener("toggle", () => void load());
    find("rooms").append(node);
    return { node, load, acts };
  };

  return {
    rowActs,
    stepButton,
    onActed: (work) => {
      refresh = work;
    },
    follow: (rooms) => {
      for (const [path, { node }] of shown) {
        if (rooms.some((room) => room.path === path)) continue;
        node.remove();
        shown.delete(path);
      }
      for (const room of rooms) if (!shown.has(room.path)) shown.set(room.path, open(room));
    },
  };
}

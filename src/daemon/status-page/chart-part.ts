import type { Charts, Dom, PageNode, PageStatus, PageTimes } from "./dom.ts";

/** Small pictures of what was polled last: as many points as the ring holds, and no more. */
export function chartPart({ make, draw, find }: Dom): Charts {
  const POINTS = 120;
  const [WIDTH, HEIGHT] = [240, 60];
  interface Line {
    readonly title: string;
    readonly unit: string;
    readonly points: (number | null)[];
  }
  interface Chart {
    readonly svg: PageNode;
    readonly legend: PageNode;
    readonly lines: Map<string, Line>;
  }
  const charts = new Map<string, Chart>();
  let before: { readonly status: PageStatus; readonly atMs: number } | null = null;

  const chartOf = (title: string): Chart => {
    const known = charts.get(title);
    if (known !== undefined) return known;
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const legend = make("ul", {});
    const chart = { svg, legend, lines: new Map<string, Line>() };
    charts.set(title, chart);
    find("charts").append(make("figure", {}, make("figcaption", {}, title), svg, legend));
    return chart;
  };

  const add = (title: string, name: string, unit: string, value: number | null): void => {
    const { lines } = chartOf(title);
    const line = lines.get(name) ?? { title: name, unit, points: [] };
    lines.set(name, line);
    line.points.push(value);
    if (line.points.length > POINTS) line.points.shift();
  };

  const round = (value: number): string =>
    value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, "");
  const text = (value: number | null, unit: string): string => {
    if (value === null) return "-";
    if (unit === "seconds") {
      if (value < 0.001) return `${round(value * 1e6)} µs`;
      return value < 1 ? `${round(value * 1000)} ms` : `${round(value)} s`;
    }
    if (unit.startsWith("bytes")) {
      const at = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
      return `${round(value / 1024 ** at)} ${["B", "KiB", "MiB", "GiB", "TiB"][at] ?? ""}${unit.slice(5)}`;
    }
    return `${round(value)}${unit}`;
  };

  const redraw = ({ svg, legend, lines }: Chart): void => {
    const most = Math.max(0, ...[...lines.values()].flatMap(({ points }) => points.map((value) => value ?? 0)));
    const scale = most > 0 ? (HEIGHT - 4) / most : 0;
    const drawn = [...lines.values()].map(({ points }, at) => {
      const first = POINTS - points.length;
      let path = "";
      let isOpen = false;
      points.forEach((value, index) => {
        const x = (((first + index) / (POINTS - 1)) * WIDTH).toFixed(1);
        if (value !== null) path += `${isOpen ? "L" : "M"}${x} ${(HEIGHT - 2 - value * scale).toFixed(1)}`;
        isOpen = value !== null;
      });
      return draw("path", { d: path, class: `line${at}` });
    });
    svg.replaceChildren(...drawn);
    legend.replaceChildren(
      ...[...lines.values()].map(({ title, unit, points }, at) =>
        make("li", { class: `line${at}` }, make("b", {}, text(points.at(-1) ?? null, unit)), ` ${title}`),
      ),
    );
  };

  /** The bound below which that share of what came in between is; null where nothing came. */
  const quantile = (times: PageTimes, earlier: PageTimes | undefined, share: number): number | null => {
    const counts = times.counts.map((count, at) => Math.max(0, count - (earlier?.counts[at] ?? 0)));
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all === 0) return null;
    let seen = 0;
    const at = counts.findIndex((count) => {
      seen += count;
      return seen >= all * share;
    });
    return times.boundsSeconds[Math.min(at, times.boundsSeconds.length - 1)] ?? null;
  };

  return {
    note: (status, atMs) => {
      const last = before;
      before = { status, atMs };
      const seconds = last === null ? 0 : (atMs - last.atMs) / 1000;
      if (last !== null && seconds <= 0) return;
      for (const { name, title, chart, unit, kind, value } of status.figures) {
        if (chart === null) continue;
        const was = last?.status.figures.find((one) => one.name === name)?.value ?? null;
        // A counter that is smaller is another process's.
        const grown = value === null || was === null || value < was ? null : (value - was) / seconds;
        const rateUnit = unit === "count" ? "/s" : unit === "bytes" ? "bytes/s" : unit;
        if (kind === "counter") add(chart, title, rateUnit, grown);
        else add(chart, title, unit === "count" ? "" : unit, value);
      }
      for (const times of status.times) {
        const earlier = last?.status.times.find(({ name }) => name === times.name);
        if (last === null) continue;
        add(times.title, "half below", "seconds", quantile(times, earlier, 0.5));
        add(times.title, "99 of 100 below", "seconds", quantile(times, earlier, 0.99));
      }
      for (const chart of charts.values()) redraw(chart);
    },
  };
}

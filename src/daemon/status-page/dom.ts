/** What the page's script uses of a browser: no more than this, so that the rest of the sources cannot take a browser for granted. */
export interface PageNode {
  textContent: string | null;
  value: string;
  open: boolean;
  disabled: boolean;
  readonly lastElementChild: PageNode | null;
  readonly isConnected: boolean;
  contains(node: PageNode | null): boolean;
  focus(): void;
  setAttribute(name: string, value: string): void;
  append(...nodes: (PageNode | string)[]): void;
  prepend(...nodes: (PageNode | string)[]): void;
  replaceChildren(...nodes: (PageNode | string)[]): void;
  remove(): void;
  addEventListener(event: string, listener: (event: { preventDefault(): void }) => void): void;
}

export interface PageDocument {
  title: string;
  readonly hidden: boolean;
  /** The body where nothing has the focus. */
  readonly activeElement: PageNode | null;
  readonly body: PageNode;
  getElementById(id: string): PageNode | null;
  createElement(tag: string): PageNode;
  createElementNS(namespace: string, tag: string): PageNode;
  addEventListener(event: string, listener: () => void): void;
}

export type Attributes = Readonly<Record<string, string | number>>;
export type Children = readonly (PageNode | string)[];

/** What `make` of `dom-part` gives. */
export interface Dom {
  make(tag: string, attributes: Attributes, ...children: Children): PageNode;
  draw(tag: string, attributes: Attributes, ...children: Children): PageNode;
  find(id: string): PageNode;
}

export interface PageAct {
  readonly name: string;
  readonly asks: readonly string[];
}

export interface PageRoom {
  readonly path: string;
  readonly acts: readonly PageAct[];
}

export interface PageFigure {
  readonly name: string;
  readonly title: string;
  readonly chart: string | null;
  readonly unit: string;
  readonly kind: string;
  readonly value: number | null;
}

export interface PageTimes {
  readonly name: string;
  readonly title: string;
  readonly boundsSeconds: readonly number[];
  readonly counts: readonly number[];
}

/** The answer of `/status`, as far as the page reads it. */
export interface PageStatus {
  readonly at: string;
  readonly service: string;
  readonly ready: boolean;
  readonly canAct: boolean;
  readonly figures: readonly PageFigure[];
  readonly times: readonly PageTimes[];
  readonly certificates: readonly object[];
  readonly revocationLists: readonly object[];
  readonly rooms: readonly PageRoom[];
}

/** A decision, as far as a row of the page tells it. */
export interface PageDecision {
  readonly seq: number;
  readonly id: string;
  readonly atMs: number;
  readonly status: number;
  readonly method: string;
  readonly path: string;
  readonly client: string;
  readonly reason: string | null;
  readonly principal: { readonly id: string; readonly authenticator: string } | null;
  readonly denial: { readonly place: string | null; readonly seen: string; readonly wanted: string } | null;
}

export type Told = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly text: string };

/** What `ask-part` gives. */
export interface Ask {
  get(path: string): Promise<Told>;
  /** With the token that was typed. */
  act(path: string, settings: object): Promise<Told>;
  setToken(token: string): void;
  hasToken(): boolean;
}

export interface Charts {
  /** Notes what was polled, and draws it again. */
  note(status: PageStatus, atMs: number): void;
}

/** A button for an act that the row of a table says everything of; null where it does not. */
export type RowActs = (row: Readonly<Record<string, unknown>>) => readonly PageNode[];

export interface Views {
  /** Any JSON: objects as lists of names and values, lists of objects as tables. */
  view(value: unknown, label: string, rowActs: RowActs): PageNode;
}

export interface Rooms {
  /** Those that there are now; what is open stays open. */
  follow(rooms: readonly PageRoom[]): void;
  /** Those of a room that a row says everything of. */
  rowActs(path: string): RowActs;
  /** For the admin token: a check stands on another step of the ladder for an hour. */
  stepButton(check: string, mode: string): PageNode;
  /** What shows what an act has changed. */
  onActed(work: () => Promise<void>): void;
}

export interface Denials {
  /** Those since the last time, newest first. */
  follow(): Promise<void>;
}

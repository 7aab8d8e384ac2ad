import { hash } from "node:crypto";
import { askPart } from "./ask-part.ts";
import { chartPart } from "./chart-part.ts";
import { denialsPart } from "./denials-part.ts";
import { domPart } from "./dom-part.ts";
import { roomsPart } from "./rooms-part.ts";
import { startPart } from "./start-part.ts";
import { STYLE } from "./style.ts";
import { viewPart } from "./view-part.ts";

export interface StatusPage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Each part is a function of its parameters alone, so that its text runs in a browser as it runs here. */
const SCRIPT = `"use strict";
const page = document, later = (work, ms) => setTimeout(work, ms);
const dom = (${domPart})(page), ask = (${askPart})((path, settings) => fetch(path, settings));
const charts = (${chartPart})(dom), views = (${viewPart})(dom);
const rooms = (${roomsPart})(page, dom, ask, views), denials = (${denialsPart})(dom, ask, rooms);
(${startPart})({ page, dom, ask, charts, views, rooms, denials, later });`;

const BODY = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>postern</title><style>${STYLE}</style></head>
<body><header><h1>postern</h1><p id="state" role="status">Asking…</p></header>
<main id="main">
<section aria-labelledby="h-denials"><h2 id="h-denials">Newest denials</h2><p id="denied"></p><div id="denials"></div><p id="more"></p></section>
<section aria-labelledby="h-charts"><h2 id="h-charts">Now</h2><div id="charts"></div></section>
<section aria-labelledby="h-limits"><h2 id="h-limits">Limits and callers</h2><div id="limits"></div></section>
<section aria-labelledby="h-apart"><h2 id="h-apart">Out of the ordinary</h2><div id="apart"></div></section>
<section aria-labelledby="h-ends"><h2 id="h-ends">Certificates</h2><div id="ends"></div></section>
<section aria-labelledby="h-policy"><h2 id="h-policy">Policy and resources</h2><div id="policy"></div></section>
<section aria-labelledby="h-rooms"><h2 id="h-rooms">Everything there is</h2>
<p id="acting">Read-only.</p>
<form id="token-form"><label for="token">Admin token</label> <input id="token" type="password" autocomplete="off"><button>Use it</button></form>
<div id="rooms"></div></section>
</main>
<footer><p id="told" role="status" tabindex="0" aria-label="What came of it"></p></footer>
<noscript><p>This page needs its script. GET /status has the same in JSON.</p></noscript>
<script>${SCRIPT}</script></body></html>
`;

/**
 * The page at `/`: one document that loads nothing from anywhere but figures from this port. Only its own script and style run, by
 * their hashes; no text becomes markup, which the browser itself sees to (Trusted Types); nobody frames it or holds its window.
 */
export function statusPage(): StatusPage {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(SCRIPT)}'`,
    `style-src '${hashOf(STYLE)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  const headers = { "Content-Security-Policy": policy.join("; "), "Cross-Origin-Opener-Policy": "same-origin" };
  return { body: BODY, headers };
}

function hashOf(text: string): string {
  return `sha256-${hash("sha256", text, "base64")}`;
}

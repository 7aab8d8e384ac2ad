/** The page's look: what the system has, light or dark, narrow or wide. */
export const STYLE = `
:root { color-scheme: light dark; --back: #fff; --front: #1b1f24; --soft: #57606a; --edge: #d0d7de; --mark: #0550ae; --bad: #a40e26; --warm: #7d4e00; --calm: #1a7f37 }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --front: #e6edf3; --soft: #9da7b1; --edge: #30363d; --mark: #79c0ff; --bad: #ff9492; --warm: #e3b341; --calm: #56d364 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 90rem; padding: 1rem; background: var(--back); color: var(--front); font: 0.9rem/1.45 system-ui, sans-serif }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem } h3 { font-size: 0.95rem; margin: 0.8rem 0 0.2rem }
p { margin: 0.3rem 0 }
#charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.8rem }
figure { margin: 0; border: 1px solid var(--edge); border-radius: 4px; padding: 0.5rem }
figcaption { font-weight: 600 }
svg { width: 100%; height: 4rem; display: block }
path { fill: none; stroke: currentColor; stroke-width: 1.5; vector-effect: non-scaling-stroke }
figure ul { list-style: none; margin: 0; padding: 0; font-size: 0.85rem }
.line0 { color: var(--mark) } .line1 { color: var(--bad) } .line2 { color: var(--warm) } .line3 { color: var(--calm) }
details { border-bottom: 1px solid var(--edge) }
summary { cursor: pointer; padding: 0.25rem 0; overflow-wrap: anywhere }
#denials:not(.all) > details:nth-child(n + 11):not([open], :focus-within) { display: none }
summary span, summary b { margin-right: 0.8em }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px }
pre, .wide { overflow-x: auto; margin: 0.3rem 0 }
pre { border: 1px solid var(--edge); padding: 0.5rem }
table { border-collapse: collapse } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; padding: 0.15rem 0.8rem 0.15rem 0; border-bottom: 1px solid var(--edge); vertical-align: top; max-width: 40rem; overflow-wrap: anywhere }
th { color: var(--soft) }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(16rem, 100%), 1fr)); gap: 0.2rem 1rem; margin: 0.3rem 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.entry { border-left: 3px solid var(--edge); padding-left: 0.6rem; margin: 0.4rem 0 }
input, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--soft); border-radius: 4px; padding: 0.15rem 0.5rem; margin-right: 0.5rem; max-width: 100% }
main:not(.acting) .act { display: none }
html { scroll-padding-bottom: 6rem }
footer { position: sticky; bottom: 0; pointer-events: none }
#told { margin: 0; min-height: 2.5rem; max-height: 30vh; padding: 0.5rem; border: 1px solid transparent; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere }
#told:not(:empty) { border-color: var(--edge); background: var(--back); pointer-events: auto }
button.act { min-width: 9.5em }
.asks { color: var(--warm) } .failed { color: var(--bad) }
@media (prefers-reduced-motion: no-preference) { summary:hover { color: var(--mark) } }
`;

"""The look of the page: light and dark, wide and narrow, screen and paper."""

STYLE = """\
:root {
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1c2128; --muted: #57606a; --line: #d5dae0; --grid: #e7eaee;
  --pass: #1a7f37; --fail: #c4202b; --open: #8a5a00; --error: #a1208e; --theory: #1659c7; --rival: #8a4bc4;
  --shade: .14;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1318; --panel: #171c23; --ink: #e4e8ed; --muted: #9aa4af; --line: #3a424c; --grid: #262d36;
    --pass: #4cc263; --fail: #ff6b63; --open: #e0a83a; --error: #f08be0; --theory: #6aa9ff; --rival: #c39bf5;
    --shade: .24;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 2rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -.015em; }
h2 { font-size: 1.35rem; margin: 3rem 0 1rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.02rem; margin: 2rem 0 .2rem; overflow-wrap: anywhere; }
p { margin: .3rem 0 .7rem; max-width: 52rem; }
a { color: var(--theory); text-decoration: none; }
a:hover { text-decoration: underline; }
.minor { color: var(--muted); font-size: .86em; font-weight: 400; }
p.facts { color: var(--muted); margin: .3rem 0 1rem; }
.summary { display: flex; flex-wrap: wrap; align-items: center; gap: .45rem .6rem; font-size: 1.05rem; max-width: none; }
.count { font-weight: 600; }
td strong.fail { font-size: .86em; white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .open { color: var(--open); } .error { color: var(--error); }
.badge { display: inline-block; padding: 0 .55em; border: 1px solid currentColor; border-radius: 1em; font-size: .88em; line-height: 1.55;
  font-weight: 600; white-space: nowrap; background: color-mix(in srgb, currentColor 9%, transparent); }
.summary .badge { white-space: normal; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .8rem 0; padding: 0; }
details { margin: .6rem 0; }
summary { cursor: pointer; color: var(--muted); }
.rule p { border-left: 3px solid var(--line); padding-left: .9rem; }
.alarm { border: 2px solid var(--fail); border-radius: .5rem; padding: .2rem 1.2rem .8rem; margin-top: 1.5rem; }
.alarm h2 { border: 0; margin: .6rem 0 .3rem; color: var(--fail); }
ul.plain { list-style: none; margin: 0; padding: 0; }
ul.plain > li { margin: 0 0 .6rem; overflow-wrap: anywhere; }
ul.notes { padding-left: 1.1rem; margin: .3rem 0; }
ul.notes > li { margin: .25rem 0; overflow-wrap: anywhere; }
.overview { display: grid; grid-template-columns: minmax(0, 30rem) minmax(0, 1fr); gap: 1rem 3rem; align-items: start; }
.signs { white-space: normal; margin-left: .35rem; }
.sign { font-weight: 700; padding: 0 .12em; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 1rem 0 0; }
figure.drawing { margin: 0 0 .5rem; width: 30rem; max-width: 100%; }
figcaption { padding-left: 13.6%; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
table.wide { width: 100%; min-width: 68rem; table-layout: fixed; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { font-weight: 500; color: var(--muted); font-size: .86em; vertical-align: bottom; }
tbody th { font-weight: 600; position: sticky; left: 0; background: var(--paper); }
table:not(.wide) th, table:not(.wide) td { min-width: 6.5rem; }
table.facts th { font-weight: 500; color: var(--muted); }
tr:target > *, article:target > h3 { background: color-mix(in srgb, var(--theory) 12%, var(--paper)); }
span.n { white-space: nowrap; }
sup { line-height: 0; font-size: .75em; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; overflow-x: auto;
  font: 12.5px/1.45 ui-monospace, Menlo, Consolas, monospace; }
svg.figure { display: block; width: 100%; height: auto; font: 11.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg text { fill: var(--ink); font-variant-numeric: tabular-nums; white-space: pre; }
svg text.mid { text-anchor: middle; } svg text.end { text-anchor: end; } svg text.name { fill: var(--muted); }
svg .power { font-size: .74em; }
svg text.pass { fill: var(--pass); } svg text.fail { fill: var(--fail); } svg text.open { fill: var(--open); }
svg text.error { fill: var(--error); }
svg .grid { stroke: var(--grid); fill: none; } svg .axis { stroke: var(--muted); fill: none; stroke-width: .8; }
svg .break { stroke: var(--muted); stroke-dasharray: 1 3; }
svg .band { fill: var(--pass); fill-opacity: var(--shade); }
svg .theory { stroke: var(--theory); stroke-width: 2; fill: none; stroke-linejoin: round; } svg .thin { stroke-width: 1; }
svg .rival { stroke: var(--rival); stroke-width: 1.6; stroke-dasharray: 5 4; fill: none; }
svg .bar { stroke: var(--ink); stroke-width: 1.5; fill: none; } svg .datum { fill: var(--ink); }
svg .bar.pass { stroke: var(--pass); } svg .bar.fail { stroke: var(--fail); } svg .bar.open { stroke: var(--open); }
svg .mark.pass { fill: var(--pass); } svg .mark.fail { fill: var(--fail); }
svg .mark.open { fill: var(--paper); stroke: var(--open); stroke-width: 1.8; }
@media (max-width: 56rem) { .overview { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 40rem) { main { padding-top: 1.2rem; } h1 { font-size: 1.5rem; } h2 { margin-top: 2.2rem; } }
@media print {
  body { font-size: 9.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  .scroll { overflow: visible; } table.wide { min-width: 0; font-size: 7pt; }
  figure, tr, li, .overview { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .overview { grid-template-columns: 22rem minmax(0, 1fr); } figure.drawing { width: 22rem; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
"""

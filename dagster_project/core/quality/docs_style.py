"""How the pages look, and the few lines that filter their rows.

Belongs here: style sheet and script, put into every page so that one file is all a browser needs.
Does not: any content. Without the script every row is shown.
"""

from __future__ import annotations

# Text on its ground has a contrast of at least 4.5 to 1 in both schemes (WCAG 2.2, level AA).
STYLE = """
:root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --ink: #1b2330;
  --soft: #566173; --line: #dfe4ea; --link: #1a56b0; --good: #14713a; --good-ground: #e3f3e8;
  --warn: #7a5200; --warn-ground: #fdf0d0; --bad: #a8201a; --bad-ground: #fce4e2; --tick: #9fcbb0; }
@media (prefers-color-scheme: dark) { :root { --ground: #12161c; --card: #1a2029; --ink: #e6eaf0;
  --soft: #a3aebd; --line: #2d3642; --link: #8ab8ff; --good: #7fd6a0; --good-ground: #16331f;
  --warn: #f2c66d; --warn-ground: #3a2d0c; --bad: #ff9d95; --bad-ground: #451a18;
  --tick: #3d6e50; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  color: var(--ink); background: var(--ground); }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .2rem 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; }
a { color: var(--link); text-underline-offset: .15em; }
.soft { color: var(--soft); font-size: .9rem; }
.verdict { font-size: 1.1rem; padding: .8rem 1rem; margin: 1rem 0; border-radius: .5rem;
  border-left: .35rem solid; }
.verdict.passed { background: var(--good-ground); border-color: var(--good); }
.verdict.warned { background: var(--warn-ground); border-color: var(--warn); }
.verdict.failed { background: var(--bad-ground); border-color: var(--bad); }
.tools { display: flex; flex-wrap: wrap; gap: .6rem 1.5rem; align-items: center;
  margin: 1rem 0 0; }
.tools label { display: flex; gap: .5rem; align-items: center; }
input[type=search] { font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--soft); border-radius: .4rem; padding: .35rem .6rem;
  width: 18rem; max-width: 60vw; }
.scroll { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: 600; padding: .7rem .8rem .5rem; }
caption span { font-weight: 400; }
th, td { text-align: left; vertical-align: top; padding: .5rem .8rem;
  border-top: 1px solid var(--line); }
thead th { font-size: .8rem; font-weight: 600; color: var(--soft); border-top: 0;
  padding-top: .2rem; white-space: nowrap; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
td.when { white-space: nowrap; font-variant-numeric: tabular-nums; }
section { margin-top: 1.5rem; }
.index { table-layout: fixed; }
.index th:nth-child(1) { width: 34%; } .index th:nth-child(2) { width: 12%; }
.index th:nth-child(3) { width: 9%; } .index th:nth-child(4) { width: 17%; }
.index th:nth-child(5) { width: 13%; }
.checks .check { width: 46%; } .checks .words { font-weight: 400; }
.why { color: var(--soft); font-size: .9rem; font-weight: 400; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: .05rem .5rem; border-radius: 1rem; font-size: .85rem;
  font-weight: 600; white-space: nowrap; }
.badge.passed { color: var(--good); background: var(--good-ground); }
.badge.warned { color: var(--warn); background: var(--warn-ground); }
.badge.failed { color: var(--bad); background: var(--bad-ground); }
svg { display: block; } svg .good { fill: var(--tick); } svg .bad { fill: var(--bad); }
nav + h1 { margin-top: 1rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; font-size: .95rem; }
details { margin-top: 2rem; } details ul { columns: 16rem; padding-left: 1.2rem; }
li { overflow-wrap: anywhere; }
[hidden] { display: none !important; }
@media (max-width: 50rem) {
  main { padding: 1rem .8rem 3rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, th, td, caption { display: block; }
  tr { border-top: 1px solid var(--line); padding: .6rem 0; }
  .index th:nth-child(n), .checks .check { width: auto; }
  tbody th, td, td.number { border: 0; padding: .1rem .8rem; text-align: left; width: auto; }
  td[data-is]::before { content: attr(data-is) " "; color: var(--soft); font-size: .85rem; }
  td.trend { padding: .3rem .8rem; } td.trend::before { display: block; }
  td:empty { display: none; }
  .index tr { display: grid; grid-template-columns: auto 1fr; }
  .index tbody th { grid-column: 1 / -1; }
}
@media print { .tools { display: none; } body { background: #fff; } }
"""
SCRIPT = """
(() => {
  const tools = document.querySelector(".tools");
  const words = tools.querySelector("input[type=search]");
  const only = tools.querySelector("input[type=checkbox]");
  const told = tools.querySelector("output");
  const rows = [...document.querySelectorAll("tr[data-status]")].map(
    (row) => [row, row.textContent.toLowerCase()]);
  const show = () => {
    const wanted = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = (only.checked && row.dataset.status === "passed")
        || !wanted.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    for (const part of document.querySelectorAll("section[data-filtered]")) {
      part.hidden = !part.querySelector("tr[data-status]:not([hidden])");
    }
    told.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
  };
  tools.hidden = false;
  words.addEventListener("input", show);
  only.addEventListener("change", show);
  show();
})();
"""

"""The look of a page: one style sheet, inlined.

Belongs here: CSS. Does not: markup. Contrast of every text colour is at least 4.5 : 1 on its
ground, in light and dark; the channel colours are the Okabe-Ito set, told apart without red-green
sight.
"""

from __future__ import annotations

CSS = """
:root{color-scheme:light dark;--ground:#f4f5f7;--card:#fff;--ink:#1a2230;--muted:#566072;
--rule:#d9dee6;--sold:#2f4157;--expected:#0072b2;--fill:#0072b2;--good:#0a6b3d;--bad:#a8320a;
--c0:#0072b2;--c1:#e69f00;--c2:#009e73;--c3:#cc79a7;--c4:#56b4e9;--c5:#d55e00}
@media (prefers-color-scheme:dark){:root{--ground:#12161d;--card:#1b212b;--ink:#e8ecf2;
--muted:#a5b0c0;--rule:#343d4b;--sold:#c3cedd;--expected:#56b4e9;--fill:#3d9bd6;--good:#4cc38a;
--bad:#ff9b70}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans SC",sans-serif}
header,main,footer{max-width:1120px;margin:0 auto;padding:0 20px}
header{padding-top:28px;padding-bottom:8px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 4px}
header p,footer p{margin:0;color:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:14px;margin:18px 0}
.tile,.card{background:var(--card);border:1px solid var(--rule);border-radius:12px}
.tile{padding:14px 16px}
.label{color:var(--muted);font-size:.875rem}
.value{font-size:1.75rem;font-weight:650;font-variant-numeric:tabular-nums;white-space:nowrap}
.value small{font-size:.875rem;font-weight:500;color:var(--muted)}
.note{font-size:.8125rem;color:var(--muted)}
.change{white-space:nowrap}
.change.up{color:var(--good)}
.change.down{color:var(--bad)}
main{display:grid;grid-template-columns:1fr 1fr;gap:16px;align-items:start}
main>.tiles,.wide{grid-column:1/-1}
.column{display:grid;gap:16px;min-width:0}
.tiles{width:100%}
.card{padding:18px 20px;min-width:0}
h2{font-size:1.125rem;margin:0}
h3{font-size:.9375rem;margin:16px 0 6px}
.lead{margin:2px 0 12px;color:var(--muted);font-size:.875rem}
figure{margin:0}
figure svg{display:block;max-width:100%;height:auto}
.phone{display:none}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
th{font-weight:600;color:var(--muted);text-align:left;font-size:.8125rem}
th,td{padding:6px 10px 6px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
tr:last-child td{border-bottom:0}
.number{text-align:right;white-space:nowrap}
td small,.money small{color:var(--muted)}
.bar{display:block;height:8px;margin-top:4px;border-radius:4px;background:var(--rule)}
.bar i{display:block;height:8px;border-radius:4px;background:var(--fill)}
.stack{display:flex;height:22px;border-radius:6px;overflow:hidden;background:var(--rule);gap:2px}
.stack i{display:block}
.legend{list-style:none;margin:6px 0 0;padding:0;display:flex;flex-wrap:wrap;gap:4px 18px;
font-size:.875rem}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.c0{background:var(--c0)}.c1{background:var(--c1)}.c2{background:var(--c2)}
.c3{background:var(--c3)}.c4{background:var(--c4)}.c5{background:var(--c5)}
.key i.line{height:3px;width:18px;vertical-align:middle;border-radius:2px}
.status{font-weight:600}
.status.failed{color:var(--bad)}
.status.passed{color:var(--good)}
.chosen td{font-weight:600}
details{margin-top:12px;font-size:.875rem}
summary{cursor:pointer;color:var(--muted)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:8px 0}
dt{font-weight:600}
dd{margin:0;color:var(--muted)}
footer{padding-top:18px;padding-bottom:40px;font-size:.8125rem}
@media (max-width:760px){
header,main,footer{padding-left:12px;padding-right:12px}
main{grid-template-columns:minmax(0,1fr);gap:12px}
.tiles{grid-template-columns:1fr 1fr;gap:10px;margin:12px 0 0}
.tile{padding:10px 12px}
.value{font-size:1.375rem}
.card{padding:14px}
.desk{display:none}
.phone{display:block}
.column{gap:12px}
.stacked thead{display:none}
.stacked tr{display:block;padding:8px 0;border-bottom:1px solid var(--rule)}
.stacked tr:last-child{border-bottom:0}
.stacked td{display:flex;justify-content:space-between;align-items:baseline;gap:12px;border:0;
padding:2px 0;text-align:right}
.stacked td:first-child{display:block;text-align:left;font-weight:600;padding-bottom:4px}
.stacked td:first-child small{font-weight:400}
.stacked td+td::before{content:attr(data-head);color:var(--muted);text-align:left;
white-space:normal}
.stacked td+td .bar{display:none}
dl{grid-template-columns:1fr}
dd{margin-bottom:6px}
}
@media print{body{background:#fff}.card,.tile{break-inside:avoid}}
"""

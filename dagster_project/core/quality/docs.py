"""Data Docs: what was checked and what came of it, as static pages without a personal value.

Belongs here: a page per table and an index, self-contained. Does not: judging; everything on the
pages is a declaration or a count.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from html import escape
from itertools import groupby
from pathlib import Path

from dagster_project.core.home import Home
from dagster_project.core.quality.results import CheckResult

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
       color: #1c2430; background: #fff; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem;
         border-bottom: 1px solid #dde3ea; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: #14713a; } .failed { color: #b3261e; font-weight: 600; }
.muted { color: #5b6675; font-size: .9em; overflow-wrap: anywhere; }
@media (max-width: 45rem) { thead { display: none; } tr, td { display: block; }
  tr { border-bottom: 1px solid #dde3ea; } td { border: 0; padding: .15rem 0; }
  td.number { text-align: left; } }
"""


def write_data_docs(home: Home, results: Iterable[CheckResult], judged_at: str) -> Path:
    """Write ``data_docs/index.html`` and a page per table; returns the index.

    ``judged_at`` is shown as given. Pages of tables that are judged no more are removed.
    """
    found = sorted(results, key=lambda r: (r.schema_name, r.table_name))
    grouped = [
        (f"{schema}/{table}", list(checks))
        for (schema, table), checks in groupby(found, key=lambda r: (r.schema_name, r.table_name))
    ]
    home.data_docs.mkdir(parents=True, exist_ok=True)
    for folder in home.data_docs.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    for name, checks in grouped:
        path = home.data_docs / f"{name}.html"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_table_page(name, checks, judged_at), "utf-8")
    index = home.data_docs / "index.html"
    index.write_text(_index_page(grouped, judged_at), "utf-8")
    return index


def _index_page(grouped: list[tuple[str, list[CheckResult]]], judged_at: str) -> str:
    rows = "".join(
        f'<tr><td><a href="{escape(name)}.html">{escape(name)}</a></td>'
        f'<td class="number">{checks[0].row_count:,} rows</td>'
        f'<td class="number">{len(checks)} checks</td>{_verdict(checks)}</tr>'
        for name, checks in grouped
    )
    heads = "<th>Table</th><th>Rows</th><th>Checks</th><th>Outcome</th>"
    return _page("Data quality", judged_at, heads, rows)


def _verdict(checks: list[CheckResult]) -> str:
    failed = [check for check in checks if not check.has_passed]
    if not failed:
        return '<td class="passed">all passed</td>'
    blocking = sum(check.is_blocking for check in failed)
    held = f", {blocking} of them blocking" if blocking else ""
    return f'<td class="failed">{len(failed)} failed{held}</td>'


def _table_page(name: str, checks: list[CheckResult], judged_at: str) -> str:
    rows = "".join(_check_row(check) for check in checks)
    heads = "<th>Check</th><th>Why</th><th>Kind</th><th>Failed rows</th><th>Outcome</th>"
    back = '<p><a href="../index.html">All tables</a></p>'
    return _page(name, f"{checks[0].row_count:,} rows. {judged_at}", heads, rows, back)


def _check_row(check: CheckResult) -> str:
    kind = f"{check.severity}, blocking" if check.is_blocking else check.severity
    outcome = "passed" if check.has_passed else "failed"
    error = f'<div class="muted">{escape(check.error)}</div>' if check.error else ""
    return (
        f"<tr><td>{escape(check.check_name.replace('_', ' '))}"
        f'<div class="muted">{escape(check.statement)}</div></td>'
        f"<td>{escape(check.why)}</td><td>{kind}</td>"
        f'<td class="number">{check.failed_count:,}</td>'
        f'<td class="{outcome}">{outcome}{error}</td></tr>'
    )


def _page(title: str, note: str, heads: str, rows: str, before: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>{before}"
        f'<h1>{escape(title)}</h1><p class="muted">{escape(note)}</p>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></body></html>\n"
    )

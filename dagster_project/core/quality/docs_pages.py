"""The pages themselves: an index of tables by layer, and every table with its checks.

Belongs here: markup and wording; every text is escaped. Does not: reading or writing anything.
The same tables give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from dagster_project.core.quality.docs_style import SCRIPT, STYLE
from dagster_project.core.quality.docs_trends import Anomaly, Check, JudgedTable

# Schemas by the layer they are shown in; any other schema is a mart of some subject.
LAYERS = {
    "Raw": ("raw",),
    "Staging and intermediate": ("reference", "staging", "intermediate"),
    "Identity": ("identity",),
    "Core": ("core",),
    "Customer": ("customer",),
    "Other marts": (),
    "Forecast": ("forecast",),
    "Operations and publication": ("ops", "published"),
}
OTHERS = "Other marts"
KINDS = {
    "expectation": "expectation",
    "dbt_test": "test of the models",
    "reconciliation": "reconciliation",
    "anomaly": "anomaly",
}
BADGES = {"passed": "passed", "warned": "warned", "failed": "failed", "blocked": "failed"}
WORST_FIRST = ("blocked", "failed", "warned", "passed")
BAR, GAP, HEIGHT = 3, 1, 22  # pixels of a trend's bars, of the space between, of the tallest


def layer_of(schema_name: str) -> str:
    """The layer under which the index shows a schema's tables."""
    return next((layer for layer, names in LAYERS.items() if schema_name in names), OTHERS)


def place_of(table: JudgedTable) -> str:
    """Where the table's page lies, seen from the index; no name can lead out of the folder."""
    return "/".join(
        quote(part, safe="").replace(".", "%2E") for part in (table.schema_name, table.table_name)
    )


def index_page(tables: Sequence[JudgedTable], judged_at: str) -> str:
    """All tables by layer, and what it comes to in one sentence."""
    layers = [(name, [t for t in tables if layer_of(t.schema_name) == name]) for name in LAYERS]
    body = [
        f'<h1>Data quality</h1><p class="soft">{escape(judged_at)}</p>',
        _verdict(tables),
        _tools("table"),
        *(_layer(name, members) for name, members in layers if members),
        _all_anomalies(tables),
    ]
    return _page("Data quality", "".join(body))


def table_page(table: JudgedTable, tables: Sequence[JudgedTable]) -> str:
    """One table with every check on it; ``tables`` are all, for the links."""
    rows = f"{table.row_count:,} rows. " if table.row_count is not None else ""
    judged = f"Last judged {table.judged_at} UTC." if table.judged_at else "Not judged yet."
    body = [
        _links(table, tables),
        f'<h1>{escape(table.name)}</h1><p class="soft">{rows}{judged}</p>',
        _table_verdict(table),
        _anomalies(table.anomalies),
        _tools("check") if table.checks else "",
        _checks(table),
        _siblings(table, tables),
    ]
    return _page(f"{table.name} - data quality", "".join(body))


def sparkline(values: Sequence[int], what: str) -> str:
    """Bars for the last judgements, oldest first; its title says the same in words."""
    if not values:
        return ""
    top = max(values)
    bars: dict[str, list[str]] = {"good": [], "bad": []}
    for place, value in enumerate(values):
        # A failure of one row beside one of thousands still stands out from a pass.
        height = 3 if not value else 7 + round((HEIGHT - 7) * value / top)
        left, side = place * (BAR + GAP), "bad" if value else "good"
        bars[side].append(f"M{left} {HEIGHT}v-{height}h{BAR}v{height}z")
    paths = "".join(f'<path class="{k}" d="{"".join(d)}"/>' for k, d in bars.items() if d)
    width = len(values) * (BAR + GAP)
    last = f"the last {len(values)} judgements" if len(values) > 1 else "the one judgement"
    title = f"{what} at {last}, oldest first: {', '.join(f'{v:,}' for v in values)}"
    return (
        f'<svg role="img" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}">'
        f"<title>{title}</title>{paths}</svg>"
    )


def _verdict(tables: Sequence[JudgedTable]) -> str:
    """What all checks come to, and what a failure holds back."""
    total = sum(len(table.checks) for table in tables)
    if not total:
        return '<p class="verdict warned">Nothing has been judged yet.</p>'
    passed, warned = (sum(t.count(status) for t in tables) for status in ("passed", "warned"))
    blocked = [table for table in tables if table.count("blocked")]
    failed, blocking = total - passed - warned, sum(t.count("blocked") for t in blocked)
    if blocking:
        names = ", ".join(_link(table) for table in blocked)
        held = (
            f"{blocking:,} of the failures {_are(blocking)} blocking: publication is held back, "
            f"readers keep the version before, and what is built from {names} waits."
        )
    else:
        held = "Nothing is held back."
    state = "failed" if failed else "warned" if warned else "passed"
    counts = f"{_many(total, 'check')} on {_many(len(tables), 'table')}"
    return (
        f'<p class="verdict {state}"><strong>{counts}: {passed:,} passed, {warned:,} warned, '
        f"{failed:,} failed.</strong> {held}</p>"
    )


def _table_verdict(table: JudgedTable) -> str:
    if not table.checks:
        return ""
    failed, warned = table.count("failed", "blocked"), table.count("warned")
    state = "failed" if failed else "warned" if warned else "passed"
    held = " Publication, and what is built from this table, is held back."
    return (
        f'<p class="verdict {state}"><strong>{_outcome(table)}.</strong> '
        f"{_many(len(table.checks), 'check')}.{held if table.count('blocked') else ''}</p>"
    )


def _outcome(table: JudgedTable) -> str:
    parts = [
        (table.count("failed", "blocked"), "failed"),
        (table.count("blocked"), "blocking"),
        (table.count("warned"), "warned"),
    ]
    told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    return told or ("all passed" if table.checks else "not judged")


def _layer(name: str, tables: Sequence[JudgedTable]) -> str:
    heads = (
        '<th scope="col">Table</th><th scope="col" class="number">Rows</th>'
        '<th scope="col" class="number">Checks</th><th scope="col">Outcome</th>'
        '<th scope="col">Trend</th><th scope="col">Last judged (UTC)</th>'
    )
    checks = _many(sum(len(table.checks) for table in tables), "check")
    caption = f'{name} <span class="soft">{_many(len(tables), "table")}, {checks}</span>'
    return _listing("index", caption, heads, map(_table_row, tables))


def _table_row(table: JudgedTable) -> str:
    status = next((s for s in WORST_FIRST if table.count(s)), "passed")
    rows = f"{table.row_count:,}" if table.row_count is not None else ""
    open_ones = len(table.anomalies)
    anomalies = f'<div class="soft">{_many(open_ones, "anomaly")}</div>' if open_ones else ""
    return (
        f'<tr data-status="{"warned" if open_ones and status == "passed" else status}">'
        f'<th scope="row">{_link(table)}</th><td class="number" data-is="rows">{rows}</td>'
        f'<td class="number" data-is="checks">{len(table.checks)}</td>'
        f'<td><span class="badge {BADGES[status]}">{_outcome(table)}</span>{anomalies}</td>'
        f'<td class="trend">{sparkline(table.trend, "Checks that did not pass")}</td>'
        f'<td class="when" data-is="judged">{table.judged_at}</td></tr>'
    )


def _checks(table: JudgedTable) -> str:
    if not table.checks:
        return ""
    heads = (
        '<th scope="col">Check</th><th scope="col">Kind</th>'
        '<th scope="col" class="number">Failed rows</th><th scope="col">Trend</th>'
        '<th scope="col">Outcome</th>'
    )
    found = sorted(table.checks, key=lambda c: (WORST_FIRST.index(c.status), c.kind, c.check_name))
    caption = f'Checks <span class="soft">on {escape(table.name)}, worst first</span>'
    return _listing("checks", caption, heads, map(_check_row, found))


def _check_row(check: Check) -> str:
    words = f'<div class="words">{escape(check.statement)}</div>' if check.statement else ""
    why = f'<div class="why">{escape(check.why)}</div>' if check.why else ""
    severity = f"{check.severity}, blocking" if check.is_blocking else check.severity
    return (
        f'<tr data-status="{check.status}">'
        f'<th scope="row" class="check">{escape(_in_words(check.check_name))}{words}{why}</th>'
        f'<td>{escape(KINDS.get(check.kind, check.kind))}<div class="soft">{escape(severity)}</div>'
        f'</td><td class="number" data-is="failed rows">{_failed_rows(check)}</td>'
        f'<td class="trend">{sparkline(check.trend, "Failed rows")}</td><td>{_state(check)}</td>'
        "</tr>"
    )


def _failed_rows(check: Check) -> str:
    if not check.row_count or not check.failed_count:
        return f"{check.failed_count:,}"
    share = min(1.0, check.failed_count / check.row_count)
    told = f"{share:.2%}" if share >= 0.0001 else "under 0.01%"
    return f'{check.failed_count:,}<div class="soft">{told}</div>'


def _state(check: Check) -> str:
    word = "failed" if check.status == "blocked" else check.status
    badge = f'<span class="badge {BADGES[check.status]}">{word}</span>'
    if check.has_passed:
        return badge
    since = f'<div class="soft">since {check.failing_since} UTC</div>'
    error = f'<div class="soft">{escape(check.error)}</div>' if check.error else ""
    return f"{badge}{since}{error}"


def _anomalies(anomalies: Sequence[Anomaly]) -> str:
    if not anomalies:
        return ""
    return _anomaly_list("Open anomalies", (_anomaly_row(anomaly) for anomaly in anomalies))


def _all_anomalies(tables: Sequence[JudgedTable]) -> str:
    rows = [
        _anomaly_row(anomaly, f'<th scope="row">{_link(table)}</th>')
        for table in tables
        for anomaly in table.anomalies
    ]
    heads = '<th scope="col">Table</th>'
    return _anomaly_list("Open anomalies", rows, heads) if rows else ""


def _anomaly_list(caption: str, rows: Iterable[str], heads: str = "") -> str:
    heads += '<th scope="col">Days</th><th scope="col">Severity</th><th scope="col">What</th>'
    return _listing("anomalies", caption, heads, rows)


def _anomaly_row(anomaly: Anomaly, before: str = "") -> str:
    days = anomaly.first_day
    if anomaly.last_day != anomaly.first_day:
        days = f"{anomaly.first_day} to {anomaly.last_day}"
    badge = "failed" if anomaly.severity == "severe" else "warned"
    return (
        f'<tr data-status="{badge}">{before}<td class="when">{escape(days)}</td>'
        f'<td><span class="badge {badge}">{escape(anomaly.severity)}</span></td>'
        f"<td>{escape(anomaly.sentence)}</td></tr>"
    )


def _listing(kind: str, caption: str, heads: str, rows: Iterable[str]) -> str:
    return (
        f'<section data-filtered><div class="scroll"><table class="{kind}">'
        f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _links(table: JudgedTable, tables: Sequence[JudgedTable]) -> str:
    """Back to the index, and to the tables before and after."""
    place = tables.index(table)
    links = ['<a href="../index.html">All tables</a>']
    if place:
        links.append(f"<span>Before: {_link(tables[place - 1], '../')}</span>")
    if place + 1 < len(tables):
        links.append(f"<span>After: {_link(tables[place + 1], '../')}</span>")
    return f'<nav aria-label="Tables">{"".join(links)}</nav>'


def _siblings(table: JudgedTable, tables: Sequence[JudgedTable]) -> str:
    others = [t for t in tables if t.schema_name == table.schema_name and t is not table]
    if not others:
        return ""
    listed = "".join(
        f"<li>{_link(other, '../')}{'' if _is_sound(other) else f' ({_outcome(other)})'}</li>"
        for other in others
    )
    told = f"{_many(len(others), 'more table')} of {escape(table.schema_name)}"
    return f"<details><summary>{told}</summary><ul>{listed}</ul></details>"


def _is_sound(table: JudgedTable) -> bool:
    return table.count("passed") == len(table.checks)


def _link(table: JudgedTable, up: str = "") -> str:
    # A long name breaks between its parts, not inside a word.
    shown = escape(table.name).replace(".", ".<wbr>").replace("__", "__<wbr>")
    return f'<a href="{up}{quote(place_of(table))}.html">{shown}</a>'


def _in_words(name: str) -> str:
    return name.replace("_", " ").strip()


def _many(count: int, thing: str) -> str:
    if count == 1:
        return f"1 {thing}"
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count:,} {plural}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _tools(thing: str) -> str:
    """Shown by the script, since they do nothing without it."""
    return (
        '<div class="tools" hidden role="search">'
        f'<label>Find a {thing} <input type="search" autocomplete="off"></label>'
        '<label><input type="checkbox"> only what did not pass</label>'
        '<output class="soft"></output></div>'
    )


def _page(title: str, body: str) -> str:
    script = f"<script>{SCRIPT}</script>" if 'class="tools"' in body else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main>{script}</body></html>\n"
    )

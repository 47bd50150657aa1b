"""The picture of the grades: stores down, days across, a letter and a shade for each.

Belongs here: one SVG. Does not: grading. Grades are told by letter as well as by shade.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape

import duckdb

STORES, DAYS = 25, 28  # the stores with the most points; the last days that were graded
CELL, LABEL, HEAD = 22, 190, 44
FILLS = {
    "A": "#d8efe0",
    "B": "#eef3c8",
    "C": "#fbe3a6",
    "D": "#f7b98a",
    "E": "#ee8a7a",
    "F": "#c2453d",
}
INK, PALE = "#1c2430", "#ffffff"
_POOREST = """
select store_durable_key, coalesce(max(store_name), cast(store_durable_key as varchar)) as name
from ops.store_day
where business_date > $since
group by store_durable_key
order by
    sum(complete_points + timely_points + balanced_points + plausible_points) desc,
    sum(receipt_count) desc, name,
    store_durable_key
limit $stores
"""


def grade_chart(connection: duckdb.DuckDBPyConnection) -> str | None:
    """SVG below 50 kB of the last 28 days of the stores that fare worst; None without grades."""
    (last,) = connection.execute("select max(business_date) from ops.store_day").fetchone()
    if last is None:
        return None
    since = last - timedelta(days=DAYS)
    stores = connection.execute(_POOREST, {"since": since, "stores": STORES}).fetchall()
    grades = connection.execute(
        "select store_durable_key, business_date, grade from ops.store_day "
        "where business_date > ? and list_contains(?, store_durable_key)",
        [since, [key for key, _ in stores]],
    ).fetchall()
    place = {key: row for row, (key, _) in enumerate(stores)}
    cells = [
        _cell((day - since).days - 1, place[key], grade)
        for key, day, grade in sorted(grades, key=lambda one: (place[one[0]], one[1]))
    ]
    names = [_text(0, HEAD + CELL * row + 15, name) for row, (_, name) in enumerate(stores)]
    days = [since + timedelta(days=number + 1) for number in range(DAYS)]
    heads = [
        _text(LABEL + CELL * number + 3, HEAD - 8, f"{day:%d}") for number, day in enumerate(days)
    ]
    months = [
        _text(LABEL + CELL * number + 3, HEAD - 26, f"{day:%b %Y}")
        for number, day in enumerate(days)
        if number == 0 or day.day == 1
    ]
    width, height = LABEL + CELL * DAYS, HEAD + CELL * len(stores)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="{PALE}"/>'
        f"{''.join([*months, *heads, *names, *cells])}</svg>"
    )


def _text(x: int, y: int, said: str) -> str:
    return f'<text x="{x}" y="{y}" fill="{INK}">{escape(said[:28])}</text>'


def _cell(column: int, row: int, grade: str) -> str:
    x, y = LABEL + CELL * column, HEAD + CELL * row
    ink = PALE if grade == "F" else INK
    return (
        f'<rect x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="{FILLS[grade]}"/>'
        f'<text x="{x + 7}" y="{y + 15}" fill="{ink}">{grade}</text>'
    )

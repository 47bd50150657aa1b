"""What goes wrong with delivered files: planned per fault level, done to the finished bytes.

Belongs here: which files are damaged, how, and what should become of it. Does not: dirt that is
part of the data itself (spellings of phones and names: ``people``). A file has one fault at most.

At ``light`` a broken row stands beside the good one (the sender's retry), so nothing is lost; at
``heavy`` it stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dagster_project.core.simulation.plan import COUNTRIES, Plan, Stream

PAN_IN_TEXT = "4111 1111 1111 1111"
BOM = b"\xef\xbb\xbf"
LOADED, REJECTED, DUPLICATE, HELD_BACK = "loaded", "rejected", "duplicate", "quarantined"
Files = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Damage:
    """A file after a fault: what is delivered, and how many rows it concerns."""

    files: Files
    rows: int


@dataclass(frozen=True)
class Fault:
    """One kind of fault: the streams it hits, how many files a level, what becomes of the rows."""

    name: str
    streams: tuple[str, ...]
    light: int
    heavy: int
    outcome: str
    do: Callable[[Sheet], Damage]
    country: str = ""  # only files of this country

    @property
    def least_rows(self) -> int:
        """A smaller file stays whole: three broken rows would bring it near reject thresholds."""
        return 70 if self.outcome == REJECTED else 10


class Sheet:
    """One finished text file, its rows within reach."""

    def __init__(self, name: str, content: bytes, separator: str, level: str) -> None:
        """Split the file into its header and its rows; none of its rows spans lines."""
        self.name = name
        self.content = content
        self.separator = separator
        self.in_place = level == "heavy"
        self.header, *self.rows = content.decode("utf-8").removesuffix("\n").split("\n")
        # One to three rows of a file: well below any reject threshold.
        self.count = min(3, 1 + len(self.rows) // 200)

    def renamed(self, suffix: str) -> str:
        """The file's name with a suffix before its ending."""
        stem, _, ending = self.name.rpartition(".")
        return f"{stem}{suffix}.{ending}"

    def bytes_of(self, rows: list[str], header: str | None = None) -> bytes:
        """A whole file of these rows."""
        head = self.header if header is None else header
        return "\n".join([head, *rows, ""]).encode("utf-8")

    def broken(self, change: Callable[[list[str]], str]) -> Damage:
        """Break some rows spread over the file, beside the good ones or in their place."""
        rows = list(self.rows)
        for place in sorted(self.places(), reverse=True):
            bad = change(rows[place].split(self.separator))
            rows[place : place + self.in_place] = [bad]
        return Damage([(self.name, self.bytes_of(rows))], self.count)

    def places(self) -> list[int]:
        """Rows to be broken, evenly spread."""
        step = max(1, len(self.rows) // (self.count + 1))
        return sorted({min(len(self.rows) - 1, step * (n + 1)) for n in range(self.count)})

    def column(self, *names: str) -> int:
        """Place of the first of these columns that the file has."""
        cells = self.header.split(self.separator)
        return next(cells.index(name) for name in names if name in cells)


def repeated_line(sheet: Sheet) -> Damage:
    """Some rows stand twice, equal to the letter."""
    rows = list(sheet.rows)
    for place in sorted(sheet.places(), reverse=True):
        rows.insert(place, rows[place])
    return Damage([(sheet.name, sheet.bytes_of(rows))], sheet.count)


def redelivered_file(sheet: Sheet) -> Damage:
    """The same file once more, under another name, with a byte order mark and CRLF."""
    again = BOM + sheet.content.replace(b"\n", b"\r\n")
    return Damage([(sheet.name, sheet.content), (sheet.renamed("_again"), again)], len(sheet.rows))


def late_rows(sheet: Sheet) -> Damage:
    """The last tenth of the rows comes in a file of its own."""
    cut = len(sheet.rows) - max(1, len(sheet.rows) // 10)
    first, last = sheet.bytes_of(sheet.rows[:cut]), sheet.bytes_of(sheet.rows[cut:])
    return Damage([(sheet.name, first), (sheet.renamed("_late"), last)], len(sheet.rows) - cut)


def ragged_row(sheet: Sheet) -> Damage:
    """A row with a cell too many."""
    return sheet.broken(lambda cells: sheet.separator.join([*cells, "?"]))


def short_row(sheet: Sheet) -> Damage:
    """A row that breaks off."""
    return sheet.broken(lambda cells: sheet.separator.join(cells[: len(cells) // 2]))


def stray_quote(sheet: Sheet) -> Damage:
    """A cell that opens a quote and never closes it."""
    place = sheet.column("article", "shop", "sku", "site", "bon_no")

    def change(cells: list[str]) -> str:
        return sheet.separator.join([*cells[:place], '"' + cells[place], *cells[place + 1 :]])

    return sheet.broken(change)


def bad_date(sheet: Sheet) -> Damage:
    """The thirtieth of February."""
    place = sheet.column("closed_at", "placed_at", "happened", "booked", "day")

    def change(cells: list[str]) -> str:
        cells[place] = "2017-02-30" + cells[place][10:]
        return sheet.separator.join(cells)

    return sheet.broken(change)


def missing_required(sheet: Sheet) -> Damage:
    """A row without its number."""
    return sheet.broken(lambda cells: sheet.separator.join(["", *cells[1:]]))


def bad_number(sheet: Sheet) -> Damage:
    """A figure that is none."""
    place = sheet.column("list_value", "amount", "list_net", "pts", "on_hand")

    def change(cells: list[str]) -> str:
        cells[place] = "#REF!"
        return sheet.separator.join(cells)

    return sheet.broken(change)


def renamed_column(sheet: Sheet) -> Damage:
    """A column under its older name."""
    header = sheet.separator.join(
        "on_hand_qty" if name == "on_hand" else name for name in sheet.header.split(sheet.separator)
    )
    return Damage([(sheet.name, sheet.bytes_of(sheet.rows, header))], len(sheet.rows))


def reordered_columns(sheet: Sheet) -> Damage:
    """The same columns in reverse order; the stream never quotes."""
    turned = [
        sheet.separator.join(reversed(row.split(sheet.separator)))
        for row in (sheet.header, *sheet.rows)
    ]
    return Damage([(sheet.name, sheet.bytes_of(turned[1:], turned[0]))], len(sheet.rows))


def corrected_row(sheet: Sheet) -> Damage:
    """Some receipts are sent again a month later with another duration and a later version."""
    written, seconds = sheet.column("written_at"), sheet.column("secs")
    rows = []
    for place in sheet.places():
        cells = sheet.rows[place].split(sheet.separator)
        year, month = int(cells[written][:4]), int(cells[written][5:7])
        later = f"{year + month // 12}-{month % 12 + 1:02d}-02"
        cells[written] = later + cells[written][10:]
        cells[seconds] = str(int(cells[seconds]) + 5)
        rows.append(sheet.separator.join(cells))
    again = sheet.bytes_of(rows)
    return Damage([(sheet.name, sheet.content), (sheet.renamed("_corrected"), again)], len(rows))


def card_in_text(sheet: Sheet) -> Damage:
    """A customer writes a card number into the note of an order; in place at every level."""
    rows = list(sheet.rows)
    silent = [place for place, row in enumerate(rows) if row.endswith(sheet.separator)]
    for place in silent[: sheet.count]:
        rows[place] += f"card {PAN_IN_TEXT} thanks"
    return Damage([(sheet.name, sheet.bytes_of(rows))], len(silent[: sheet.count]))


def truncated_file(sheet: Sheet) -> Damage:
    """The transfer breaks in the middle of a row; later the file comes whole."""
    cut = sheet.content[: len(sheet.content) * 2 // 3]
    cut = cut[: cut.rindex(b"\n") + 4]  # the beginning of one more row, without its end
    return Damage([(sheet.name, cut), (sheet.renamed("_again"), sheet.content)], 1)


def wrong_encoding(sheet: Sheet) -> Damage:
    """A file in the head office's old encoding instead of UTF-8."""
    return Damage([(sheet.name, sheet.content.decode("utf-8").encode("gb18030"))], len(sheet.rows))


def missing_column(sheet: Sheet) -> Damage:
    """A required column is gone; the stream never quotes."""
    rows = [row.split(sheet.separator, 1)[1] for row in (sheet.header, *sheet.rows)]
    return Damage([(sheet.name, sheet.bytes_of(rows[1:], rows[0]))], len(sheet.rows))


def empty_file(sheet: Sheet) -> Damage:
    """Nothing at all; the real file comes under another name."""
    return Damage([(sheet.name, b""), (sheet.renamed("_again"), sheet.content)], len(sheet.rows))


def broken_json(sheet: Sheet) -> Damage:
    """A line that breaks off, beside the good one or in its place (no header: a line is a row)."""
    lines = [sheet.header, *sheet.rows]
    at = len(lines) // 2
    lines[at : at + sheet.in_place] = [lines[at][: len(lines[at]) // 2]]
    return Damage([(sheet.name, "\n".join([*lines, ""]).encode("utf-8"))], 1)


FAULTS = (
    Fault("repeated_line", ("lines", "tenders", "points", "steps"), 4, 30, DUPLICATE,
          repeated_line),
    Fault("redelivered_file", ("lines", "receipts", "events"), 3, 15, DUPLICATE, redelivered_file),
    Fault("late_rows", ("lines", "receipts", "order_lines"), 3, 12, LOADED, late_rows),
    Fault("ragged_row", ("lines", "steps", "points"), 3, 20, REJECTED, ragged_row),
    Fault("short_row", ("steps", "points"), 2, 12, REJECTED, short_row),
    Fault("stray_quote", ("lines", "receipts", "stock"), 2, 15, REJECTED, stray_quote),
    Fault("bad_date", ("lines", "tenders", "points"), 2, 15, REJECTED, bad_date),
    Fault("missing_required", ("receipts", "tenders", "order_lines"), 2, 12, REJECTED,
          missing_required),
    Fault("bad_number", ("lines", "tenders", "points", "stock"), 2, 15, REJECTED, bad_number),
    Fault("renamed_column", ("stock",), 1, 4, LOADED, renamed_column),
    Fault("reordered_columns", ("steps", "points"), 1, 4, LOADED, reordered_columns),
    Fault("corrected_row", ("receipts",), 2, 10, LOADED, corrected_row),
    Fault("card_in_text", ("orders",), 2, 10, LOADED, card_in_text),
    Fault("truncated_file", ("events",), 1, 4, REJECTED, truncated_file),
    Fault("empty_file", ("steps",), 1, 3, HELD_BACK, empty_file),
    Fault("wrong_encoding", ("orders",), 0, 2, HELD_BACK, wrong_encoding, "CN"),
    Fault("missing_column", ("points",), 0, 2, HELD_BACK, missing_column),
    Fault("broken_json", ("posts",), 1, 4, REJECTED, broken_json),
)  # fmt: skip
MONTHLY = ("posts",)


def plan_faults(plan: Plan, monthly: list[str]) -> dict[tuple[str, str], Fault]:
    """Which file (stream, country and week or month) gets which fault; nothing at ``none``.

    ``monthly`` are the labels of the monthly streams' files. Small runs have fewer files than
    faults: the first faults of the list go first.
    """
    if plan.faults == "none":
        return {}
    rng = plan.generator(Stream.FAULTS)
    weekly = [f"{country.code}_{week.label}" for week in plan.weeks for country in COUNTRIES]
    taken: dict[tuple[str, str], Fault] = {}
    for fault in FAULTS:
        labels = monthly if fault.streams[0] in MONTHLY else weekly
        labels = [label for label in labels if label.startswith(fault.country)]
        free = [(s, label) for s in fault.streams for label in labels if (s, label) not in taken]
        wanted = fault.light if plan.faults == "light" else fault.heavy
        # Never more than an eighth of the files a fault could hit.
        for place in rng.permutation(len(free))[: min(wanted, max(1, len(free) // 8))]:
            taken[free[int(place)]] = fault
    return taken


def draw_cvv(plan: Plan, rng: np.random.Generator, size: int) -> np.ndarray | None:
    """Card verification values, which only a till that should never have kept them sends."""
    return rng.integers(100, 1000, size) if plan.faults == "heavy" else None

"""HTML parts and number formats that every page shares.

Belongs here: escaping, formatting, bars, tables. Does not: any figure. Whatever comes from data
goes through ``text``, so that a product called ``<b>`` is a product called ``<b>``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MINUS = "\N{MINUS SIGN}"
THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"
SCALES = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))


def text(value: object) -> str:
    """A value as harmless text."""
    return escape(str(value), quote=True)


def count(value: float) -> str:
    """A whole number with thousands separators."""
    return f"{value:,.0f}".replace("-", MINUS)


def compact(value: float, decimals: int = 0) -> str:
    """A number in few characters: 1.23 M, 12,345; decimals only below a thousand."""
    for scale, unit in SCALES:
        if abs(value) >= scale:
            return f"{value / scale:,.2f}{THIN_SPACE}{unit}".replace("-", MINUS)
    shown = decimals if abs(value) < 1000 else 0
    return f"{value:,.{shown}f}".replace("-", MINUS)


def money(value: float, currency: str, decimals: int = 0) -> str:
    """An amount as HTML with its currency, compact, the exact amount on hovering."""
    exact = f"{currency} {value:,.2f}"
    shown = compact(value, decimals)
    return (
        f'<span class="money" title="{text(exact)}"><small>{text(currency)}</small> {shown}</span>'
    )


def share(value: float | None, decimals: int = 1) -> str:
    """A share as a percentage; an en dash where it is unknown."""
    if value is None:
        return "–"
    return f"{value * 100:.{decimals}f}{THIN_SPACE}%".replace("-", MINUS)


def change(now: float, before: float) -> str:
    """The change against before as HTML, told by arrow and sign as well as by colour."""
    if before == 0:
        return '<span class="change">no comparison</span>'
    moved = now / before - 1
    if abs(moved) < 0.0005:
        return '<span class="change">unchanged</span>'
    kind, arrow, sign = ("up", "▲", "+") if moved > 0 else ("down", "▼", MINUS)
    return f'<span class="change {kind}">{arrow} {sign}{share(abs(moved))}</span>'


def tile(label: str, value: str, note: str) -> str:
    """One headline figure; ``value`` and ``note`` are HTML."""
    return (
        f'<div class="tile"><div class="label">{text(label)}</div>'
        f'<div class="value">{value}</div><div class="note">{note}</div></div>'
    )


def bar(value: float, largest: float, label: str) -> str:
    """A horizontal bar as long as its part of the largest; ``label`` is read aloud."""
    width = max(0.0, min(100.0, 100 * value / largest)) if largest > 0 else 0.0
    return (
        f'<span class="bar" role="img" aria-label="{text(label)}">'
        f'<i style="width:{width:.1f}%"></i></span>'
    )


def stack(parts: Sequence[tuple[str, float]]) -> str:
    """A bar of parts that make up a whole, with a legend that carries every number."""
    total = sum(max(0.0, amount) for _, amount in parts)
    shares = [(name, max(0.0, amount) / total if total else 0.0) for name, amount in parts]
    spoken = ", ".join(f"{name} {share(part)}" for name, part in shares)
    segments = "".join(
        f'<i class="c{index % 6}" style="width:{part * 100:.2f}%"></i>'
        for index, (_, part) in enumerate(shares)
    )
    legend = "".join(
        f'<li><i class="c{index % 6}"></i>{text(name)} <b>{share(part)}</b></li>'
        for index, (name, part) in enumerate(shares)
    )
    return (
        f'<div class="stack" role="img" aria-label="{text(spoken)}">{segments}</div>'
        f'<ul class="legend">{legend}</ul>'
    )


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    left: Sequence[int] = (0,),
    *,
    stacked: bool = False,
) -> str:
    """A table of HTML cells; columns not named in ``left`` are numbers, set to the right.

    A stacked table turns every row into a list of its own on a phone.
    """

    def cell(index: int, content: str) -> str:
        side = "" if index in left else ' class="number"'
        return f'<td{side} data-head="{text(heads[index])}"><div>{content}</div></td>'

    head = "".join(
        f'<th scope="col"{"" if i in left else " class=number"}>{text(name)}</th>'
        for i, name in enumerate(heads)
    )
    body = "".join(
        f"<tr>{''.join(cell(i, content) for i, content in enumerate(row))}</tr>" for row in rows
    )
    kind = ' class="stacked"' if stacked else ""
    return (
        f'<div class="scroll"><table{kind}><caption>{text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def section(title: str, lead: str, *body: str, wide: bool = False) -> str:
    """One card of the page; ``lead`` says in a sentence what one sees."""
    kind = "card wide" if wide else "card"
    return (
        f'<section class="{kind}"><h2>{text(title)}</h2><p class="lead">{text(lead)}</p>'
        f"{''.join(body)}</section>"
    )

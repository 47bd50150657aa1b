"""Charts as SVG inside the page: no script, no request, sharp at any size.

Belongs here: Vega-Lite specifications and their rendering. Does not: the figures. Every chart is
drawn twice, for a desk and for a phone, because a scaled-down drawing has unreadable letters.
Colours are the page's own variables, so that a chart follows light and dark.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from dagster_project.core.reports.forecast_figures import FanDay

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"  # an identifier; never fetched
# Stand-ins that the page's variables replace in the finished drawing.
COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--rule)",
    "#040404": "var(--sold)",
    "#050505": "var(--expected)",
}
INK, MUTED, RULE, SOLD, EXPECTED = COLOURS
FAINTEST = 0.05  # opacity of an hour without receipts: it follows the card's ground
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEKDAYS = tuple(day[:3] for day in DAYS)
PHONE_DAYS = 63


def sales_chart(sold: Sequence[tuple[date, float]], fan: Sequence[FanDay], currency: str) -> str:
    """Net sales by day and the forecast fan, as a figure with both drawings."""
    last = sold[-1][0]
    recent = [row for row in sold if row[0] > last - timedelta(days=PHONE_DAYS)]
    spoken = f"Net sales by day up to {last:%-d %B %Y}, in {currency}"
    if fan:
        spoken += (
            f", and the forecast to {fan[-1].day:%-d %B %Y}: "
            f"{sum(day.mean for day in fan):,.0f} in all"
        )
    return _figure(
        spoken,
        desk=_sales_spec(sold, fan, width=1036, height=300),
        phone=_sales_spec(recent, fan, width=300, height=220),
    )


def hours_chart(hours: Sequence[tuple[int, int, float]]) -> str:
    """Receipts in an average week by weekday and hour, as a heat map with both drawings."""
    return _figure(
        f"Receipts by weekday and hour; {busiest_hour(hours)}",
        desk=_hours_spec(hours, width=440, height=196, step=3),
        phone=_hours_spec(hours, width=290, height=196, step=6),
    )


def busiest_hour(hours: Sequence[tuple[int, int, float]]) -> str:
    """The strongest cell of the heat map in words."""
    weekday, hour, most = max(hours, key=lambda row: row[2])
    return f"the busiest hour is {DAYS[weekday - 1]} {hour}:00 with {most:,.0f} receipts"


def _sales_spec(
    sold: Sequence[tuple[date, float]], fan: Sequence[FanDay], *, width: int, height: int
) -> dict[str, Any]:
    actual = [{"day": day.isoformat(), "sold": round(amount, 2)} for day, amount in sold]
    ahead = [
        {
            "day": one.day.isoformat(),
            "mean": round(one.mean, 2),
            "p2": round(one.p2_5, 2),
            "p10": round(one.p10, 2),
            "p90": round(one.p90, 2),
            "p97": round(one.p97_5, 2),
        }
        for one in fan
    ]
    x = {
        "field": "day",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%-d %b", "tickCount": max(3, width // 110), "grid": False},
    }
    layers = [_line(actual, x, "sold", SOLD, 1.3)]
    if ahead:
        layers = [
            _band(ahead, x, "p2", "p97", 0.16),
            _band(ahead, x, "p10", "p90", 0.3),
            *layers,
            _line(ahead, x, "mean", EXPECTED, 2.2),
        ]
    return _spec(width, height, layer=layers)


def _line(
    values: list[dict[str, Any]], x: dict[str, Any], field: str, colour: str, width: float
) -> dict[str, Any]:
    return {
        "data": {"values": values},
        "mark": {"type": "line", "color": colour, "strokeWidth": width, "aria": False},
        "encoding": {"x": x, "y": _amount(field)},
    }


def _band(
    values: list[dict[str, Any]], x: dict[str, Any], low: str, high: str, opacity: float
) -> dict[str, Any]:
    return {
        "data": {"values": values},
        "mark": {"type": "area", "color": EXPECTED, "opacity": opacity, "aria": False},
        "encoding": {"x": x, "y": _amount(low), "y2": {"field": high}},
    }


def _amount(field: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": None,
        "scale": {"zero": True, "nice": True},
        "axis": {"format": "~s", "tickCount": 5},
    }


def _hours_spec(
    hours: Sequence[tuple[int, int, float]], *, width: int, height: int, step: int
) -> dict[str, Any]:
    values = [
        {"weekday": WEEKDAYS[weekday - 1], "hour": hour, "receipts": round(receipts, 1)}
        for weekday, hour, receipts in hours
    ]
    return _spec(
        width,
        height,
        data={"values": values},
        mark={"type": "rect", "color": EXPECTED, "cornerRadius": 2, "aria": False},
        encoding={
            "x": {
                "field": "hour",
                "type": "ordinal",
                "title": None,
                "scale": {"domain": list(range(24)), "padding": 0.06},
                "axis": {
                    "values": list(range(0, 24, step)),
                    "labelAngle": 0,
                    "grid": False,
                    "labelExpr": "datum.value + ':00'",
                },
            },
            "y": {
                "field": "weekday",
                "type": "ordinal",
                "title": None,
                "scale": {"domain": list(WEEKDAYS), "padding": 0.06},
                "axis": {"grid": False},
            },
            "opacity": {
                "field": "receipts",
                "type": "quantitative",
                "scale": {"range": [FAINTEST, 1], "domainMin": 0},
                "legend": None,
            },
        },
    )


def _spec(width: int, height: int, **parts: Any) -> dict[str, Any]:
    text = {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "labelFontSize": 12,
        "labelFont": "sans-serif",
    }
    return {
        "$schema": SCHEMA,
        "width": width,
        "height": height,
        "background": None,
        "padding": 2,
        "config": {
            "view": {"stroke": None},
            "axis": {**text, "domainColor": RULE, "tickColor": RULE, "gridColor": RULE},
            "legend": text,
        },
        **parts,
    }


def _figure(spoken: str, *, desk: dict[str, Any], phone: dict[str, Any]) -> str:
    label = json.dumps(spoken, ensure_ascii=False)
    return (
        f'<figure role="img" aria-label={label}>'
        f'<div class="desk">{_svg(desk)}</div><div class="phone">{_svg(phone)}</div></figure>'
    )


def _svg(spec: dict[str, Any]) -> str:
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec)
    for stand_in, colour in COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return svg

"""How good and how cheap the forecasts are beside their peers', in one run.

    python -m benchmarks.forecast [--panels drugstores,nowruz,speed] [--ours module] [--fresh]

The peers run in an environment of their own (`make bench` prepares it from requirements-bench.lock,
TILLHOUSE_PEER_PYTHON names another); what they said of a view is kept between runs, with its CPU
seconds. `speed` is no panel but the time of a thousand series. A panel may also be a file of one's
own, .csv or .parquet (see own_file).
"""

from __future__ import annotations

import argparse
import logging
import sys

from benchmarks.forecast.bar import Line, lines
from benchmarks.forecast.exchange import peer_python
from benchmarks.forecast.measure import Speed, load_ours, measure, prophet_cpu_ms, speed
from benchmarks.forecast.panels import MODULES, BenchPanel, MissingData, build, is_file
from benchmarks.forecast.scoring import Score

SPEED = "speed"
COLUMNS = ("WAPE", "bias %", "RMSSE", "total", "feast", "80 %", "95 %", "series", "CPU ms")


def main(arguments: list[str]) -> int:
    """Print a table per panel and the bar; 2 for an unknown panel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", default=",".join([*MODULES, SPEED]))
    parser.add_argument("--ours", default="benchmarks.forecast.ours")
    parser.add_argument("--fresh", action="store_true", help="ask the peers again")
    asked = parser.parse_args(arguments)
    names = asked.panels.split(",")
    if unknown := [name for name in names if name not in {*MODULES, SPEED} and not is_file(name)]:
        print(f"no panel {', '.join(unknown)}; there are {', '.join([*MODULES, SPEED])}")
        return 2
    logging.disable(logging.INFO)  # Prophet's solver tells two lines about every fit
    if peer_python() is None:
        print("no environment of the peers: only our own models are measured")
    ours, scored, prophet_ms = load_ours(asked.ours), {}, None
    for name in (one for one in names if one != SPEED):
        try:
            bench = build(name)
        except MissingData as reason:
            print(f"\n{name}: skipped, {reason}")
            continue
        scored[name] = measure(bench, ours, fresh=asked.fresh)
        print_panel(bench, scored[name])
        if name == "drugstores":
            prophet_ms = prophet_cpu_ms(bench.panel.until(bench.origins[-1]))
            print(f"  our Prophet alone: {prophet_ms:.2f} ms of CPU per series")
    taken = speed() if SPEED in names else None
    print_bar(lines(scored, speed=taken, prophet_ms=prophet_ms), taken)
    return 0


def print_panel(bench: BenchPanel, scores: dict[str, Score]) -> None:
    """One line per model, in the order of their errors."""
    panel = bench.panel
    days = [str(panel.day(origin)) for origin in bench.origins]
    print(f"\n{bench.name}: {panel.series_count} series of {panel.day_count} days, ", end="")
    print(f"windows of {panel.horizon} days from {', '.join(days)} {bench.notes}".rstrip())
    print(f"  {'':24}", *(f"{column:>8}" for column in COLUMNS))
    for name, one in sorted(scores.items(), key=lambda item: item[1].wape):
        cells = (
            f"{one.wape:.4f}",
            f"{100 * one.bias:+.2f}",
            _cell(one.rmsse),
            f"{one.total_wape:.4f}",
            _cell(one.feast_wape),
            _cell(one.cover80, 100, 1),
            _cell(one.cover95, 100, 1),
            _cell(one.series_well_covered, 100, 0),
            _cell(one.cpu_ms, 1, 1),
        )
        print(f"  {name:24}", *(f"{cell:>8}" for cell in cells), flush=True)


def print_bar(table: list[Line], taken: Speed | None) -> None:
    """What is asked, what was measured, and the verdict."""
    print(f"\n{'bar':68} {'panel':20} {'must':>13} {'stretch':>13} {'measured':>9}")
    for line in table:
        asked = line.asked
        must, stretch = (_bounds(one, asked.unit) for one in (asked.must, asked.stretch))
        measured = _figure(line.measured, asked.unit)
        print(f"{asked.text:68} {line.panel:20} {must:>13} {stretch:>13} {measured:>9}", end="")
        print(f"  {line.verdict}")
    if taken is not None:
        print(
            f"a thousand series, three windows and the days ahead: Prophet with intervals "
            f"{taken.prophet_seconds:.1f} s ({taken.prophet_cpu_seconds:.1f} s of CPU), all models "
            f"{taken.whole_seconds:.1f} s ({taken.whole_cpu_seconds:.1f} s of CPU)"
        )


def _bounds(bounds: tuple[float, float], unit: str) -> str:
    low, high = bounds
    if low == 0:
        return f"<= {_figure(high, unit)}"
    if high == 1:
        return f">= {_figure(low, unit)}"
    return f"{_figure(low, unit)}-{_figure(high, unit)}"


def _figure(value: float, unit: str) -> str:
    return f"{100 * value:.1f} %" if unit == "%" else f"{value:.3f}"


def _cell(value: float | None, times: float = 1, digits: int = 4) -> str:
    return "-" if value is None else f"{times * value:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

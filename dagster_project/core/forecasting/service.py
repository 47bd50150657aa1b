"""Forecast every series that is declared and keep the results.

Belongs here: the order of the steps, what happens to a forecast that fails. One process, one
thread: a batch of a thousand series takes seconds, a second process takes seconds to start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.core.forecasting import results, tables
from dagster_project.core.forecasting.agreement import steps
from dagster_project.core.forecasting.definitions import Definition, load_definitions
from dagster_project.core.forecasting.engine.run import Result, forecast_panel
from dagster_project.core.forecasting.reading import Reading, read
from dagster_project.core.home import Settings

Progress = Callable[[str], None]
Readings = Mapping[str, Reading | None]
LIBRARIES = ("prophet", "numpy", "scipy", "pandas", "lightgbm")


@dataclass(frozen=True)
class ForecastOutcome:
    """What one run did."""

    origin_date: date | None  # None when there was nothing to forecast from
    series_count: int
    forecast_count: int
    stale_count: int  # failed, but an earlier forecast is kept
    failed: tuple[tuple[str, str], ...]  # series key and why, stale ones included
    chosen_models: tuple[tuple[str, int], ...]  # model and number of series that use it
    notes: tuple[str, ...]  # what was left out, what is not known ahead
    row_counts: tuple[tuple[str, int], ...]  # table and rows written


def forecast_all(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    *,
    definitions: Sequence[Definition] | None = None,
    readings: Readings | None = None,
    on_progress: Progress = lambda told: None,
) -> ForecastOutcome:
    """Forecast the days after the last complete business day for every declared series.

    Reads marts only; replaces schema ``forecast`` in one transaction. A series without a forecast
    is told of and keeps its last good one. Without sales the tables are left empty. ``readings``
    are used in place of reading the marts again.
    """
    parts, notes = [], []
    found = read_all(connection, definitions) if readings is None else readings
    for name, reading in found.items():
        if reading is None:
            notes.append(f"{name}: nothing to forecast from")
            continue
        result = _run(reading, on_progress)
        kept = tables.kept_frames(connection, results.failed_keys(reading, result))
        parts.append(results.frames(reading, result, settings.reporting_currency, kept))
        notes += [f"{name}: {note}" for note in reading.notes]
    frames = tables.joined(parts)
    tables.replace_all(connection, frames)
    return _outcome(frames, notes)


def read_all(
    connection: duckdb.DuckDBPyConnection, definitions: Sequence[Definition] | None = None
) -> Readings:
    """The series of every declared forecast, by its name; None where there are none."""
    wanted = load_definitions() if definitions is None else definitions
    return {one.name: read(connection, one) for one in wanted}


def code_fingerprint(definitions: Sequence[Definition] | None = None) -> str:
    """Changes with what is declared, with the code and with its libraries; 64 digits."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library} {_version(library)}\n".encode())
    for one in load_definitions() if definitions is None else definitions:
        digest.update(one.model_dump_json().encode())
    return digest.hexdigest()


def panel_fingerprint(
    connection: duckdb.DuckDBPyConnection, readings: Readings | None = None
) -> str:
    """Changes when, and only when, a forecast could: its data, its code or its libraries.

    64 hexadecimal digits. Reads marts only, or what has been read of them.
    """
    found = read_all(connection) if readings is None else readings
    told = [one for one in found.values() if one is not None]
    digest = sha256(code_fingerprint([one.definition for one in told]).encode())
    for reading in told:
        _add_panel(digest.update, reading)
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"


def _add_panel(add: Callable[[bytes], None], reading: Reading) -> None:
    panel = reading.panel
    # A set is written in another order by every process.
    calendar = [{**vars(day), "holidays": sorted(day.holidays)} for day in panel.calendar]
    add(f"{panel.first_date} {panel.countries} {calendar}\n".encode())
    described = [{**vars(one), "places": sorted(one.places.items())} for one in reading.members]
    add(repr(described).encode())
    known = {"values": panel.values, "closed": panel.closed, "sold out": panel.sold_out}
    for name, values in {**known, **panel.regressors}.items():
        add(name.encode() + np.ascontiguousarray(values).tobytes())


def _run(reading: Reading, on_progress: Progress) -> Result:
    definition = reading.definition
    count = len(reading.members)
    return forecast_panel(
        reading.panel,
        steps(definition, reading.sums()),
        smooth=reading.smooth,
        names=definition.models,
        windows=definition.windows,
        tell=lambda told: on_progress(f"{definition.name}, {count} series: {told}"),
    )


def _outcome(frames: tables.Frames, notes: Sequence[str]) -> ForecastOutcome:
    series = frames["series"]
    failed = series[series["error"].notna()]
    made = series[series["error"].isna()]
    counts = made["model"].value_counts()
    return ForecastOutcome(
        origin_date=None if series.empty else series["last_date"].max().date(),
        series_count=len(series),
        forecast_count=len(made),
        stale_count=int((series["status"] == results.STALE).sum()),
        failed=tuple(zip(failed["series_key"], failed["error"], strict=True)),
        chosen_models=tuple((str(model), int(counts[model])) for model in sorted(counts.index)),
        notes=tuple(notes),
        row_counts=tuple((table, len(rows)) for table, rows in frames.items()),
    )

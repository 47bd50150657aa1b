"""What the peers forecast: their processes, and the forecasts kept from earlier runs.

Belongs here: views written for the peers' own environment, its interpreter, the kept results. A
result is known by the view's content, the peer, its settings and its libraries' releases; its CPU
seconds are kept with it, so our own engine can be judged again in seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.core.forecasting.engine.panel import Panel

SCRIPT = Path(__file__).with_name("peers.py")
HERE = SCRIPT.parents[2]
PEER_PYTHON = "TILLHOUSE_PEER_PYTHON"  # interpreter with requirements-bench.lock installed
KEPT = "TILLHOUSE_PEER_FORECASTS"  # folder of kept forecasts


@dataclass(frozen=True)
class PeerForecast:
    """One peer's forecast of one view; NaN where it made none."""

    means: np.ndarray  # (N, H)
    quantiles: dict[float, np.ndarray]  # (N, H) each
    cpu_seconds: float
    series_count: int  # that it made a forecast for


def peer_python() -> Path | None:
    """The interpreter of the peers' environment; None when there is none."""
    named = os.environ.get(PEER_PYTHON)
    python = Path(named) if named else HERE / ".venv-bench" / "bin" / "python"
    return python if python.is_file() else None


def kept_folder() -> Path:
    """Where forecasts are kept between runs; outside the checkout."""
    named = os.environ.get(KEPT)
    return Path(named) if named else Path(tempfile.gettempdir()) / "tillhouse-peer-forecasts"


def peer_forecasts(
    view: Panel, names: Iterable[str], *, fresh: bool = False
) -> dict[str, PeerForecast]:
    """Each named peer's forecast of the view, kept ones first; none without an environment.

    Raises subprocess.CalledProcessError when a peer fails.
    """
    python = peer_python()
    wanted = list(names)
    if python is None or not wanted:
        return {}
    folder = kept_folder() / digest(view)
    made_by = _versions(python)
    missing = [name for name in wanted if fresh or not _is_kept(folder, name, made_by[name])]
    if missing:
        _run(python, folder, view, missing)
    return {name: _read(folder, name, view) for name in wanted}


def digest(view: Panel) -> str:
    """Names the content of a view: whatever a peer can see of it."""
    content = hashlib.sha256()
    told = [str(view.first_date), view.horizon, view.countries, sorted(view.regressors)]
    content.update(json.dumps(told).encode())
    arrays = [
        view.values,
        view.closed,
        *(view.regressors[name] for name in sorted(view.regressors)),
    ]
    for one in arrays:
        content.update(np.ascontiguousarray(one).tobytes())
    return content.hexdigest()[:24]


def write_view(folder: Path, view: Panel) -> None:
    """The view as the peers' script reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    count, days = view.closed.shape
    values = np.pad(view.values, ((0, 0), (0, view.horizon)), constant_values=np.nan)
    first = np.datetime64(view.first_date, "D")
    columns = {
        "series": np.repeat(np.arange(count), days),
        "day": np.tile(first + np.arange(days), count),
        "value": values.ravel(),
        "closed": view.closed.ravel(),
    }
    columns |= {name: one.ravel() for name, one in view.regressors.items()}
    pq.write_table(pa.table(columns), folder / "days.parquet")
    told = {"horizon": view.horizon, "countries": [list(one) for one in view.countries]}
    (folder / "view.json").write_text(json.dumps(told))


@cache
def _versions(python: Path) -> dict[str, str]:
    told = subprocess.run(
        [python, SCRIPT, "--versions"], check=True, capture_output=True, text=True
    )
    return json.loads(told.stdout)


def _is_kept(folder: Path, name: str, made_by: str) -> bool:
    figures = folder / f"{name}.json"
    return figures.is_file() and json.loads(figures.read_text())["made_by"] == made_by


def _run(python: Path, folder: Path, view: Panel, names: list[str]) -> None:
    """Run the peers in one process; their files are moved to the folder when all are there."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        write_view(Path(scratch), view)
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        subprocess.run(
            [python, SCRIPT, scratch, *names],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | single,
        )
        for name in names:
            for suffix in ("parquet", "json"):
                shutil.move(Path(scratch) / f"{name}.{suffix}", folder / f"{name}.{suffix}")


def _read(folder: Path, name: str, view: Panel) -> PeerForecast:
    rows = pq.read_table(folder / f"{name}.parquet").to_pydict()
    figures = json.loads((folder / f"{name}.json").read_text())
    place = np.asarray(rows["series"]), np.asarray(rows["step"])

    def spread(column: str) -> np.ndarray:
        whole = np.full((view.series_count, view.horizon), np.nan)
        whole[place] = rows[column]
        return whole

    quantiles = {float(column[1:]): spread(column) for column in rows if column.startswith("q")}
    return PeerForecast(spread("mean"), quantiles, figures["cpu_seconds"], figures["series"])

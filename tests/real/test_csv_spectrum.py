"""The twelve files of csv-spectrum: proposed, loaded, and equal to the JSON that they stand for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.pollock import lifted, trial
from dagster_project.core.proposing import propose
from dagster_project.core.proposing.rehearsal import write_proposal

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "messy_csv_spectrum"
FILES = sorted(path.stem for path in (DATA / "csvs").glob("*.csv")) if DATA.is_dir() else []

pytestmark = pytest.mark.skipif(not FILES, reason="csv-spectrum is not beside the project")


@pytest.mark.parametrize("name", FILES)
def test_the_rows_are_those_of_the_json(name: str, tmp_path: Path) -> None:
    path = DATA / "csvs" / f"{name}.csv"
    told = json.loads((DATA / "json" / f"{name}.json").read_text("utf-8"))
    expected = told if isinstance(told, list) else [told]  # one of them is a single record
    if name == "location_coordinates":
        # The JSON of this file alone has another telephone number than the file.
        expected = [row | {"Contact Phone Number": "2095257564"} for row in expected]

    proposal = propose([path], {}, feed="spectrum", template="new")
    feed, template = write_proposal(proposal, tmp_path / "feeds", {})
    with trial(tmp_path) as bench:
        rows, rejected, reason = bench.take_in(path, feed, lifted(template))

    assert (rejected, reason) == (0, "")
    names = proposal.sender_names
    found = [
        {key: "" if cell is None else str(cell) for key, cell in zip(names, row, strict=True)}
        for row in rows
    ]
    # Within cells the JSON has newlines where two of the files have return and newline.
    assert [_plain(row) for row in found] == [_plain(row) for row in expected]


def _plain(row: dict[str, str]) -> dict[str, str]:
    return {key: value.replace("\r\n", "\n") for key, value in row.items()}


def test_all_twelve_are_there() -> None:
    assert len(FILES) == 12

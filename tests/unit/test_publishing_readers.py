"""Readers of the published file while it is published again."""

import json
import subprocess
import sys
from typing import Any

import pytest
from sales_warehouse import build_sales_warehouse, manifest_for

from dagster_project.core.home import PROJECT, Home

HARNESS = PROJECT / "benchmarks" / "readers.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("home")
    build_sales_warehouse(root, days=20, receipts_per_day=100)
    (root / "manifest.json").write_text(json.dumps(manifest_for()))
    return Home(root)


def read_during(home: Home, publications: int, *options: str) -> tuple[int, dict[str, Any]]:
    manifest = home.root / "manifest.json"
    command = [sys.executable, str(HARNESS), "--home", str(home.root), "--manifest", str(manifest)]
    run = subprocess.run(
        [*command, "--publications", str(publications), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert run.stdout, run.stderr
    return run.returncode, json.loads(run.stdout)


@pytest.mark.slow
def test_no_read_fails_or_is_torn_during_ten_publications(home: Home) -> None:
    code, found = read_during(home, 10)
    assert (code, found["failed"], found["torn"]) == (0, 0, 0)
    assert found["reads"] >= 50
    assert found["readers"][0]["versions"] >= 8  # the reader did see them change


@pytest.mark.slow
def test_the_harness_catches_a_file_written_in_place(home: Home) -> None:
    code, found = read_during(home, 5, "--in-place")
    assert code == 1
    assert found["failed"] + found["torn"] > 0

"""The project's SQL reads alike: what sqlfluff says about every model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dagster_project.core.home import DBT_PROJECT


@pytest.mark.long
def test_every_model_keeps_to_the_sql_style():
    done = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "models"],
        cwd=DBT_PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout

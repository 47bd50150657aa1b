"""Numeric libraries are told of one thread before they are loaded, whoever starts the project."""

import os
import subprocess
import sys

import pytest

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize(("given", "expected"), [(None, "1"), ("3", "3")])
def test_one_thread_unless_somebody_wants_more(given: str | None, expected: str) -> None:
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    wanted = dict.fromkeys(VARIABLES, given) if given else {}
    said = "import sys, os, dagster_project; print('numpy' in sys.modules, *map(os.getenv, {}))"

    told = subprocess.run(
        [sys.executable, "-c", said.format(VARIABLES)],
        env=others | wanted,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert told == ["False", expected, expected]

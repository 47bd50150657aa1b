"""Benches that are made once for a module: many bad inputs are delivered to them in one load."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.warehouse import Warehouse
from tests.conftest import TEST_KEY, Bench
from tests.pipeline.till_lines import LINES

pytest.register_assert_rewrite("tests.pipeline.hostile.cases")
WHOLE = {"feed": "hostile", "files": "*"}


@pytest.fixture(scope="module")
def module_bench_for(
    empty_home: Home, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Bench]:
    """Makes a bench whose warehouse is shared by the tests of a module."""
    home = Home(tmp_path_factory.mktemp("hostile")).create()
    # The same file, not a copy: each copy would be loaded as a library of its own.
    shutil.copytree(
        empty_home.extensions, home.extensions, copy_function=os.link, dirs_exist_ok=True
    )
    shutil.copyfile(empty_home.warehouse, home.warehouse)

    def make(**declared: Any) -> Bench:
        feed = Feed(**declared)
        return Bench(Warehouse(home, TEST_KEY), feed, load_templates(TEMPLATES)[feed.template])

    return make


@pytest.fixture(scope="module")
def module_till(module_bench_for: Callable[..., Bench]) -> Bench:
    """A feed of till lines that takes files of any name."""
    return module_bench_for(**LINES | WHOLE)

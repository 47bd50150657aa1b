"""One small warehouse that dbt has built, shared by the tests that only look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from small_warehouse import SmallWarehouse
from two_retailers import deliver_two_retailers


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """A warehouse of two retailers' hand-written rows after ``dbt build`` of everything."""
    small = SmallWarehouse(tmp_path_factory.mktemp("built"))
    deliver_two_retailers(small)
    run = small.dbt("build", "--exclude-resource-type", "unit_test")
    assert run.exit_code == 0, run.words
    return small


@pytest.fixture(scope="session")
def manifest(built: SmallWarehouse) -> dict[str, Any]:
    """dbt's manifest of the project."""
    return json.loads((built.home.dbt_target / "manifest.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """The home that ``fresh`` empties: dbt parses its project once for all tests."""
    return SmallWarehouse(tmp_path_factory.mktemp("workbench"))


@pytest.fixture
def fresh(workbench: SmallWarehouse) -> SmallWarehouse:
    """A warehouse without a row, for a test that delivers its own."""
    workbench.empty()
    return workbench


@pytest.fixture
def build_dimension() -> Callable[[SmallWarehouse, str], None]:
    """Builds one dimension, what it is made of and their tests; fails with dbt's own words."""

    def build(small: SmallWarehouse, name: str) -> None:
        run = small.dbt(
            "build", "--exclude-resource-type", "unit_test", "--select", f"+{name}",
            "--indirect-selection", "cautious",
        )  # fmt: skip
        assert run.exit_code == 0, run.words

    return build

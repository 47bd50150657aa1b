"""One small warehouse that dbt has built, shared by the tests that only look at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from small_warehouse import SmallWarehouse
from two_retailers import deliver_two_retailers

# Everything the dimensions are made of, and nothing behind them.
DIMENSIONS = (
    "+dim_date",
    "+dim_time_of_day",
    "+dim_store",
    "+dim_product",
    "+dim_customer",
    "+dim_promotion",
    "+dim_tender_type",
    "+dim_channel",
    "+int_rates__daily",
)


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
def build_dimensions() -> Callable[[SmallWarehouse], None]:
    """Runs the dimensions and their tests; fails with dbt's own words."""

    def build(small: SmallWarehouse) -> None:
        run = small.dbt(
            "build", "--exclude-resource-type", "unit_test", "--select", *DIMENSIONS,
            "--indirect-selection", "cautious",
        )  # fmt: skip
        assert run.exit_code == 0, run.words

    return build

"""Audiences: one policy file says who sees which stores, tables and columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from sales_warehouse import build_sales_warehouse, manifest_for

from dagster_project.core.home import Home
from dagster_project.core.publishing import PublicationError, publish
from dagster_project.core.publishing.policy import (
    audience_of,
    load_audiences,
    published_audiences,
)
from dagster_project.core.warehouse import Warehouse

MANAGER = "store_manager_nanjing_road"


def write_policy(home: Home, **audiences: Any) -> None:
    (home.root / "audiences.yaml").write_text(yaml.safe_dump(audiences), "utf-8")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return build_sales_warehouse(tmp_path_factory.mktemp("home"), days=20, receipts_per_day=30)


@pytest.fixture(scope="module")
def manager(warehouse: Warehouse) -> Path:
    write_policy(warehouse.home, **{MANAGER: {"like": "store_manager", "stores": ["lantern/C1"]}})
    return publish(warehouse, MANAGER, manifest_for(), run_id="r").path


def test_a_pattern_is_no_file_and_a_home_adds_its_own(warehouse: Warehouse, manager: Path) -> None:
    assert published_audiences(Home(Path("none"))) == ["analyst"]
    assert published_audiences(warehouse.home) == ["analyst", MANAGER]
    assert manager.name == f"{MANAGER}.duckdb"


def test_a_store_manager_sees_his_store_to_the_cent_and_no_other(
    warehouse: Warehouse, manager: Path
) -> None:
    with warehouse.connect(read_only=True) as private:
        of_store = "from core.fct_sales_line where store_key = 2"
        wanted = private.execute(f"select count(*), sum(net_amount) {of_store}").fetchone()
    with duckdb.connect(manager, read_only=True) as reader:
        found = reader.execute(
            "select count(*), sum(net_amount), count(distinct store_key) from core.fct_sales_line"
        ).fetchone()
        (net_sales,) = reader.execute(
            "select sum(net_sales_amount) from metrics.sales_by_store"
        ).fetchone()
    assert found == (*wanted, 1)
    assert net_sales == wanted[1] != 0


def test_a_store_manager_sees_nothing_of_a_customer(manager: Path) -> None:
    with duckdb.connect(manager, read_only=True) as reader:
        columns = reader.execute(
            "select table_name || '.' || column_name from duckdb_columns() where not internal"
        ).fetchall()
        feeds = reader.execute("select count(*) from ops.feed_summary").fetchone()
    assert [name for (name,) in columns if "customer" in name] == []
    assert feeds == (0,)


def test_a_store_that_does_not_exist_is_an_error_not_an_empty_file(warehouse: Warehouse) -> None:
    write_policy(warehouse.home, wrong={"like": "store_manager", "stores": ["lantern/C9"]})
    with pytest.raises(PublicationError, match=r"wrong: no store lantern/C9 in core.dim_store"):
        publish(warehouse, "wrong", manifest_for(), run_id="r")
    assert not (warehouse.home.published / "wrong.duckdb").exists()


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        pytest.param(
            {"nosy": {"description": "x", "classes": ["internal", "personal"]}},
            r"nosy: classes: .*personal columns are never published",
            id="personal columns",
        ),
        pytest.param(
            {"nosy": {"description": "x", "classes": ["secret"]}},
            r"nosy: classes\.0: .*'public'",
            id="an unknown class",
        ),
        pytest.param(
            {"near": {"like": "store_manager", "stores": ["C1"]}},
            r"near: stores: .*C1: a store is written sender/store_code",
            id="a store without its sender",
        ),
        pytest.param(
            {"near": {"like": "neighbour"}}, r"near: no pattern 'neighbour'", id="no such pattern"
        ),
        pytest.param({"near": {"clases": []}}, "near: ", id="a misspelt setting"),
        pytest.param(
            {"Near by": {"description": "x", "classes": ["public"]}},
            "lower snake case",
            id="a name that is no file name",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(
    tmp_path: Path, policy: dict[str, Any], complaint: str
) -> None:
    home = Home(tmp_path)
    write_policy(home, **policy)
    with pytest.raises(PublicationError, match=complaint) as caught:
        load_audiences(home)
    assert str(tmp_path / "audiences.yaml") in str(caught.value)


def test_what_is_no_policy_is_refused(tmp_path: Path) -> None:
    for text in ("- analyst", "analyst: all", "analyst: [", "a: {b"):
        (tmp_path / "audiences.yaml").write_text(text, "utf-8")
        with pytest.raises(PublicationError, match=r"audiences\.yaml"):
            load_audiences(Home(tmp_path))


def test_an_unknown_audience_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match=r"unknown audience 'everybody'; known: analyst"):
        audience_of(Home(tmp_path), "everybody")

"""What an audience may see: default is deny."""

from copy import deepcopy
from pathlib import Path

import pytest
from sales_warehouse import CLASSES, build_sales_warehouse, manifest_for

from dagster_project.core.forecasting.tables import TABLES
from dagster_project.core.home import Home
from dagster_project.core.publishing import PublicationError
from dagster_project.core.publishing.forecast_tables import FORECAST_TABLES
from dagster_project.core.publishing.policy import audience_of
from dagster_project.core.publishing.tables import read_manifest, tables_for
from dagster_project.core.warehouse import Warehouse

ANALYST = audience_of(Home(Path("none")), "analyst")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return build_sales_warehouse(tmp_path_factory.mktemp("home"), days=2, receipts_per_day=4)


def columns_of(warehouse: Warehouse, manifest: dict) -> dict[str, tuple[str, ...]]:
    with warehouse.connect(read_only=True) as connection:
        tables = tables_for(ANALYST, manifest, connection)
    return {table.full_name: tuple(c.name for c in table.columns) for table in tables}


def test_an_analyst_gets_the_public_and_internal_columns_only(warehouse: Warehouse) -> None:
    found = columns_of(warehouse, manifest_for())
    assert found["core.fct_tender"] == ("tender_key", "transaction_key", "amount", "card_issuer")
    assert sorted(found) == sorted(CLASSES)


def test_a_column_without_a_class_stops_the_publication(warehouse: Warehouse) -> None:
    manifest = manifest_for()
    del manifest["nodes"]["model.tillhouse.dim_store"]["columns"]["city"]["config"]["meta"]["class"]
    with pytest.raises(PublicationError, match=r"core.dim_store: column city has no class"):
        columns_of(warehouse, manifest)


def test_a_built_column_that_nobody_declared_stops_the_publication(warehouse: Warehouse) -> None:
    classes = deepcopy(CLASSES)
    del classes["core.dim_store"]["city"]
    with pytest.raises(PublicationError, match=r"core.dim_store: no class for city"):
        columns_of(warehouse, manifest_for(classes))


def test_an_unknown_class_is_named(warehouse: Warehouse) -> None:
    classes = deepcopy(CLASSES)
    classes["core.dim_store"]["city"] = "secret"
    with pytest.raises(PublicationError, match=r"city has unknown class 'secret'"):
        columns_of(warehouse, manifest_for(classes))


def test_a_declared_table_that_is_not_built_is_named(warehouse: Warehouse) -> None:
    classes = CLASSES | {"customer.customer_value": {"customer_key": "internal"}}
    with pytest.raises(PublicationError, match=r"not built: customer.customer_value"):
        columns_of(warehouse, manifest_for(classes))


def test_a_declared_column_that_is_not_built_is_named(warehouse: Warehouse) -> None:
    classes = deepcopy(CLASSES)
    classes["core.dim_store"]["floor_area"] = "public"
    with pytest.raises(PublicationError, match=r"core.dim_store lacks declared floor_area"):
        columns_of(warehouse, manifest_for(classes))


def test_a_table_of_personal_columns_only_is_left_out(warehouse: Warehouse) -> None:
    classes = deepcopy(CLASSES)
    classes["core.dim_channel"] = dict.fromkeys(classes["core.dim_channel"], "personal")
    assert "core.dim_channel" not in columns_of(warehouse, manifest_for(classes))


def test_a_table_that_dbt_does_not_know_is_left_behind(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=2, receipts_per_day=4)
    with warehouse.connect() as connection:
        connection.execute("create table core.fct_sales_line__dbt_tmp as select 1 as k")
    assert "core.fct_sales_line__dbt_tmp" not in columns_of(warehouse, manifest_for())


def test_a_forecast_table_without_classes_stops_the_publication(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=2, receipts_per_day=4)
    with warehouse.connect() as connection:
        connection.execute("create table forecast.by_person as select 1 as person_key")
    with pytest.raises(PublicationError, match=r"no classes are declared for forecast.by_person"):
        columns_of(warehouse, manifest_for())


def test_a_forecast_table_is_published_with_its_described_columns(tmp_path: Path) -> None:
    warehouse = build_sales_warehouse(tmp_path, days=2, receipts_per_day=4)
    names = tuple(FORECAST_TABLES["accuracy"][1])
    with warehouse.connect() as connection:
        columns = ", ".join(f"null as {name}" for name in names)
        connection.execute(f"create table forecast.accuracy as select {columns}")
    assert columns_of(warehouse, manifest_for())["forecast.accuracy"] == names


def test_the_forecast_tables_and_their_descriptions_agree_both_ways() -> None:
    described = {table: list(columns) for table, (_, columns) in FORECAST_TABLES.items()}
    assert described == {table: list(columns) for table, columns in TABLES.items()}


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(PublicationError, match="no readable manifest"):
        read_manifest(path)
    path.write_text('{"metadata": {}}')
    with pytest.raises(PublicationError, match="has no nodes"):
        read_manifest(path)

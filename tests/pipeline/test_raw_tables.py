"""Raw tables of a warehouse that is older than its templates."""

from __future__ import annotations

from dagster_project.core.declarations import load_templates
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.home import TEMPLATES
from dagster_project.core.warehouse import Warehouse


def test_a_field_that_a_template_gained_becomes_one_column_of_the_table_that_others_share(
    warehouse: Warehouse,
) -> None:
    templates = load_templates(TEMPLATES)
    assert templates["pos_cinema"].table("receipt") == "pos_standard__receipt"
    with warehouse.connect() as connection:
        before = connection.execute("describe raw.pos_standard__receipt").fetchall()
        connection.execute("alter table raw.pos_standard__receipt drop column duration_seconds")

        create_raw_tables(connection, templates)

        after = connection.execute("describe raw.pos_standard__receipt").fetchall()
    assert sorted(after) == sorted(before)

"""The raw tables: one per record of a template, filled by every feed into that template."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.components.feed import feed_key, templates
from dagster_project.components.tables import count_rows
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.declarations import SYSTEM_COLUMNS, Record, Template, load_feeds
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.home import FEEDS

SYSTEM_DESCRIPTIONS = {
    "_record_key": "Of sender and natural key; the same in every load.",
    "_content_hash": "Of all declared columns.",
    "_sender": "The source system; its codes are unique within it.",
    "_feed": "The feed that brought the row.",
    "_file_id": "SHA-256 of the delivered file.",
    "_record_number": "Position in the file, from 1.",
    "_batch_id": "Load order: the watermark of every refresh.",
}


@dg.definitions
def raw() -> dg.Definitions:
    """``raw/<template>__<record>`` for every record of every template."""
    feeds = load_feeds(FEEDS, dict(templates()))
    specs = [
        _spec(template, name, [f.feed for f in feeds.values() if f.template == template.template])
        for template in templates().values()
        for name in template.records
    ]

    @dg.multi_asset(name="raw", specs=specs, pool=POOL)
    def raw_tables(
        context: dg.AssetExecutionContext, writer: WriterResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        names = [spec.key.path[-1] for spec in specs]
        with writer.warehouse.connect() as connection:
            create_raw_tables(connection, dict(templates()))
            counts = count_rows(connection, [("raw", name) for name in names])
        context.log.info(f"{sum(counts.values()):,} raw rows in {len(counts)} tables")
        for spec in specs:
            count = counts["raw", spec.key.path[-1]]
            yield dg.MaterializeResult(spec.key, metadata={"dagster/row_count": count})

    return dg.Definitions(assets=[raw_tables])


def _spec(template: Template, record: str, feeds: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["raw", template.table(record)],
        deps=[feed_key(feed) for feed in feeds],
        group_name="raw",
        description=template.records[record].description,
        owners=["team:data-engineering"],
        kinds={"duckdb", "table"},
        tags={"template": template.template},
        metadata={"dagster/column_schema": _schema(template.records[record])},
    )


def _schema(record: Record) -> dg.TableSchema:
    declared = [
        dg.TableColumn(column, kind, field.description, tags={field.classification.value: ""})
        for name, field in record.fields.items()
        for column, kind in field.columns(name).items()
    ]
    system = [
        dg.TableColumn(column, kind.split()[0], SYSTEM_DESCRIPTIONS[column])
        for column, kind in SYSTEM_COLUMNS.items()
    ]
    return dg.TableSchema([*declared, *system])

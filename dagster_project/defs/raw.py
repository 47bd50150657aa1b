"""The raw tables: one per record of a template, filled by every feed into its family.

A custom template fills the tables of the one it extends and has none of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb

from dagster_project.components.feed import feed_key, templates
from dagster_project.components.tables import count_rows
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.declarations import SYSTEM_COLUMNS, Feed, Record, Template, load_feeds
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.home import FEEDS
from dagster_project.core.modelling import build_state, last_batch_id, record_build
from dagster_project.core.quality import record_results
from dagster_project.core.quality.reconciling import CHECK, STATEMENT, WHY, files_and_rows

LEDGER = dg.AssetKey(["ops", "file_ledger"])
BUILD = "file_ledger"
SYSTEM_DESCRIPTIONS = {
    "_record_key": "Of sender and natural key; the same in every load.",
    "_content_hash": "Of all declared columns.",
    "_sender": "The source system; its codes are unique within it.",
    "_feed": "The feed that brought the row.",
    "_file_id": "SHA-256 of the delivered file.",
    "_record_number": "Position in the file, from 1.",
    "_batch_id": "Load order: the watermark of every refresh.",
    "_extra": "JSON object of a custom template's own fields.",
}


@dg.definitions
def raw() -> dg.Definitions:
    """``raw/<template>__<record>`` for every record of every template with tables of its own."""
    known = templates()
    feeds = load_feeds(FEEDS, dict(known))
    specs = [
        _spec(template, name, feeds_into(template, feeds.values(), known))
        for template in known.values()
        if template.extends is None
        for name in template.records
    ]

    @dg.multi_asset(
        name="raw",
        specs=[*specs, _ledger(list(feeds))],
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=LEDGER, blocking=True, description=f"{STATEMENT} {WHY}")
        ],
        pool=POOL,
    )
    def raw_tables(
        context: dg.AssetExecutionContext, writer: WriterResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        names = [spec.key.path[-1] for spec in specs]
        with writer.warehouse.connect() as connection:
            create_raw_tables(connection, dict(templates()))
            counts = count_rows(connection, [("raw", name) for name in names])
            miscounted = _miscounted(connection, context.run_id)
            files = count_rows(connection, [("ops", LEDGER.path[-1])])
        context.log.info(f"{sum(counts.values()):,} raw rows in {len(counts)} tables")
        for spec in specs:
            count = counts["raw", spec.key.path[-1]]
            yield dg.MaterializeResult(spec.key, metadata={"dagster/row_count": count})
        yield dg.MaterializeResult(
            LEDGER,
            metadata={"dagster/row_count": files["ops", LEDGER.path[-1]]},
            check_results=[
                dg.AssetCheckResult(
                    check_name=CHECK,
                    passed=not miscounted,
                    metadata={"failed rows": miscounted, "why": WHY},
                )
            ],
        )

    return dg.Definitions(assets=[raw_tables])


def _ledger(feeds: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        LEDGER,
        deps=[feed_key(feed) for feed in feeds],
        group_name="ops",
        description="One row per delivered file: what came, and what became of its records.",
        owners=["team:data-engineering"],
        kinds={"duckdb", "table"},
        tags={"class/internal": ""},
    )


def _miscounted(connection: duckdb.DuckDBPyConnection, run_id: str) -> int:
    """Loaded files whose records are not all in raw; counted again after every load only."""
    state, last = build_state(connection, BUILD), last_batch_id(connection)
    if state is not None and state[0] == last:
        return int(state[1])
    [result] = files_and_rows(connection, templates())
    record_results(connection, run_id, [result], "reconciliation")
    record_build(connection, BUILD, last, str(result.failed_count))
    return result.failed_count


def feeds_into(
    template: Template, feeds: Iterable[Feed], known: Mapping[str, Template]
) -> list[str]:
    """Names of the feeds that fill a template's tables, those of custom templates too."""
    return [feed.feed for feed in feeds if known[feed.template].family == template.template]


def _spec(template: Template, record: str, feeds: list[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["raw", template.table(record)],
        deps=[feed_key(feed) for feed in feeds],
        group_name="raw",
        description=template.records[record].description,
        owners=["team:data-engineering"],
        kinds={"duckdb", "table"},
        tags={"template": template.template},
        metadata={
            "dagster/column_schema": _schema(
                template.records[record], _added(template, record, templates())
            )
        },
    )


def _added(template: Template, record: str, known: Mapping[str, Template]) -> str:
    """What ``_extra`` may hold: each custom template with the columns it adds to the record."""
    parts = [
        f"{custom.template}: {', '.join(columns)}"
        for custom in known.values()
        if custom.extends == template.template
        and (columns := custom.records[record].added_columns())
    ]
    return "".join(f" {part}." for part in parts)


def _schema(record: Record, added: str) -> dg.TableSchema:
    declared = [
        dg.TableColumn(column, kind, field.description, tags={field.classification.value: ""})
        for name, field in record.fields.items()
        for column, kind in field.columns(name).items()
    ]
    system = [
        dg.TableColumn(
            column,
            kind.split()[0],
            SYSTEM_DESCRIPTIONS[column] + (added if column == "_extra" else ""),
        )
        for column, kind in SYSTEM_COLUMNS.items()
    ]
    return dg.TableSchema([*declared, *system])

"""Demand forecasts: one step for all series, with the fan drawn on the asset."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import duckdb

from dagster_project.components.reaper import ARRIVED_TAG
from dagster_project.components.tables import count_rows, last_metadata
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.forecasting import tables
from dagster_project.core.model_sources import last_built
from dagster_project.core.modelling import build_state, last_batch_id, record_build
from dagster_project.core.publishing.forecast_tables import FORECAST_TABLES

BUILD = "forecast"
INPUTS = "forecast_inputs"  # code and marts that were last found to hold nothing new
# What the panel reads: forecasts are made from marts alone.
MARTS = [
    "fct_sales_line",
    "fct_inventory_daily",
    "fct_promotion_coverage",
    "fct_seat_occupancy",
    "dim_film",
    "dim_show",
    "dim_time_of_day",
    "dim_store",
    "dim_channel",
    "dim_product",
    "dim_date",
    "dim_promotion",
]
KEYS = {table: dg.AssetKey(["forecast", table]) for table in tables.TABLES}
FANS = 6  # charts on forecast/daily: the total first, then the channels
HEADLINE = "net_sales"  # the forecast whose levels are named without it
NAMED = 20  # series without a forecast that the log names one by one
# What is published and the naive one, weighed by what was sold in the windows.
_ERRORS = """
with errors as (
    select
        b.series_key,
        b.model,
        sum(abs(b.forecast_value - b.actual_value)) as error,
        sum(abs(b.actual_value)) as actual,
    from forecast.backtest as b
    group by b.series_key, b.model
)
select
    s.forecast,
    s.level,
    sum(e.error) filter (e.model = 'published')
        / nullif(sum(e.actual) filter (e.model = 'published'), 0),
    sum(e.error) filter (e.model = 'seasonal_naive')
        / nullif(sum(e.actual) filter (e.model = 'seasonal_naive'), 0),
    avg(s.coverage_80) filter (e.model = 'published'),
    1 - sum(e.error) filter (e.model = 'published')
        / nullif(sum(e.error) filter (e.model = 'seasonal_naive'), 0),
from forecast.series as s
inner join errors as e on s.series_key = e.series_key
group by s.forecast, s.level
order by s.forecast, s.level
"""


def _spec(table: str) -> dg.AssetSpec:
    described, columns = FORECAST_TABLES.get(table, (f"One row per {table} value.", {}))
    schema = [
        dg.TableColumn(name, kind.split()[0], columns.get(name))
        for name, kind in tables.TABLES[table].items()
    ]
    return dg.AssetSpec(
        KEYS[table],
        deps=[dg.AssetKey(["core", mart]) for mart in MARTS],
        group_name="forecast",
        description=described,
        owners=["team:forecasting"],
        kinds={"prophet", "python", "duckdb"},
        tags={"class/internal": ""},
        metadata={"dagster/column_schema": dg.TableSchema(schema)},
    )


@dg.multi_asset(name="forecast", specs=[_spec(table) for table in KEYS], pool=POOL)
def forecast(
    context: dg.AssetExecutionContext, writer: WriterResource
) -> Iterator[dg.MaterializeResult]:
    """Forecast every series again where its sales, its events or the code have changed.

    A run that arriving files started leaves that to the next one by night or by hand, which finds
    the sales changed and makes up for it.
    """
    from dagster_project.core.forecasting import forecast_all

    settings = writer.settings
    with writer.warehouse.connect() as connection:
        news = _news(
            connection, settings.reporting_currency, is_arrival=ARRIVED_TAG in context.run.tags
        )
        if isinstance(news, str):
            context.log.info(news)
            yield from _standing(context)
            return

        outcome = forecast_all(
            connection, settings, readings=news.readings, on_progress=context.log.info
        )
        record_build(connection, BUILD, last_batch_id(connection), news.code)
        record_build(connection, INPUTS, last_batch_id(connection), news.inputs)
        told = _told(connection)
    for note in outcome.notes:
        context.log.info(note)
    for series, why in outcome.failed[:NAMED]:
        context.log.warning(f"series {series} has no new forecast: {why}")
    if len(outcome.failed) > NAMED:
        context.log.warning(f"{len(outcome.failed) - NAMED} more have none: forecast.series")
    told["series"] |= {"stale": outcome.stale_count, "failed": len(outcome.failed)}
    for table, key in KEYS.items():
        yield dg.MaterializeResult(key, metadata=told[table])


@dataclass(frozen=True)
class _News:
    """What the forecasts are to be made from, and how it is known again."""

    readings: Mapping[str, Any]
    code: str  # of every amount, the code and its libraries
    inputs: str  # of the marts' last builds, the code and its libraries


def _news(connection: duckdb.DuckDBPyConnection, currency: str, *, is_arrival: bool) -> _News | str:
    """What is new since the last forecast; where nothing is, why all of them stand, in words.

    The marts are read only when one of them was built again: that takes seconds.
    """
    from dagster_project.core.forecasting import code_fingerprint, panel_fingerprint, read_all
    from dagster_project.core.forecasting.definitions import load_definitions

    state = build_state(connection, BUILD)
    if state is not None and is_arrival:
        return "left to the next refresh by night or by hand: today is not over"
    definitions, built = load_definitions(), last_built(connection)
    marts = [*MARTS, *(one.source.rpartition(".")[2] for one in definitions)]
    made = [built.get(mart, "-") for mart in marts]
    inputs = " ".join([code_fingerprint(definitions), currency, *made])
    if state is not None and (build_state(connection, INPUTS) or (0, ""))[1] == inputs:
        return "unchanged: no mart was built again"
    readings = read_all(connection)
    code = f"{panel_fingerprint(connection, readings)} {currency}"
    if state is not None and state[1] == code:
        record_build(connection, INPUTS, last_batch_id(connection), inputs)
        return "unchanged: no series has new sales"
    return _News(readings, code, inputs)


def _standing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """Every table as it was told of last."""
    for key in KEYS.values():
        yield dg.MaterializeResult(key, metadata=last_metadata(context, key))


def _told(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Metadata of each table: row counts, errors that plot over time, the fans."""
    counts = count_rows(connection, [("forecast", table) for table in KEYS])
    told: dict[str, dict[str, Any]] = {
        table: {"dagster/row_count": counts["forecast", table]} for table in KEYS
    }
    told["accuracy"] |= _errors(connection)
    told["daily"] |= _fans(connection)
    return told


def _errors(connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Errors of what is published, over all series of a level: figures that plot over time."""
    rows = connection.execute(_ERRORS).fetchall()
    found: dict[str, float] = {}
    for forecast, level, wape, naive, covered, added in rows:
        name = level if forecast == HEADLINE else f"{forecast} {level}"
        measured = {
            "wape": wape,
            "wape of last week again": naive,
            "coverage 80": covered,
            "better than last week again": added,
        }
        found |= {f"{name} {what}": float(v) for what, v in measured.items() if v is not None}
    return found


def _fans(connection: duckdb.DuckDBPyConnection) -> dict[str, dg.MetadataValue]:
    from dagster_project.core.forecasting import fan_chart

    rows = connection.execute(
        "select series_key, member_name from forecast.series "
        "where forecast = ? and level in ('total', 'channel') and origin_date is not null "
        "order by level desc, member_name limit ?",
        [HEADLINE, FANS],
    ).fetchall()
    found: dict[str, dg.MetadataValue] = {}
    for key, name in rows:
        picture = base64.b64encode(fan_chart(connection, key)).decode("ascii")
        markdown = f"![{name}, the days ahead](data:image/png;base64,{picture})"
        found[f"fan {name}"] = dg.MetadataValue.md(markdown)
    return found

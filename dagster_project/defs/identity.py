"""Who is who: the map from identifiers to persons that every fact looks people up in."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.home import load_settings
from dagster_project.core.identity import IdentityOutcome, resolve_persons
from dagster_project.core.identity.links import SOURCE_TABLES

MAP = dg.AssetKey(["identity", "person_identifier"])
EARLIER = dg.AssetKey(["identity", "person_identifier_history"])
HISTORY = dg.AssetKey(["identity", "person_key_history"])


def _spec(key: dg.AssetKey, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=[dg.AssetKey(["raw", table]) for table in SOURCE_TABLES],
        group_name="identity",
        description=description,
        owners=["team:data-engineering"],
        kinds={"python", "duckdb"},
        tags={"class/personal": ""},
    )


@dg.multi_asset(
    name="identity",
    specs=[
        _spec(
            MAP,
            "One row per identifier (member number, phone, e-mail, card, cookie, handle), "
            "all as tokens, with the person it belongs to.",
        ),
        _spec(EARLIER, "One row per identifier and person that it once belonged to, until when."),
        _spec(HISTORY, "One row per merge, split or move of a person's key."),
    ],
    pool=POOL,
)
def identity(
    context: dg.AssetExecutionContext, writer: WriterResource
) -> Iterator[dg.MaterializeResult]:
    """Only differences are written; persons keep their keys."""
    settings = load_settings(writer.warehouse.home)
    with writer.warehouse.connect() as connection:
        outcome = resolve_persons(connection, probabilistic=settings.probabilistic_identity)
        events, earlier = connection.execute(
            "select (select count(*) from identity.person_key_history), "
            "(select count(*) from identity.person_identifier_history)"
        ).fetchone()
    context.log.info(_told(outcome))
    yield dg.MaterializeResult(
        MAP,
        metadata={
            "dagster/row_count": outcome.identifier_count,
            "persons": outcome.person_count,
            "hubs": outcome.hub_count,
            "written": outcome.written_count,
            "matching": outcome.matching,
        },
    )
    yield dg.MaterializeResult(EARLIER, metadata={"dagster/row_count": earlier})
    yield dg.MaterializeResult(
        HISTORY,
        metadata={
            "dagster/row_count": events,
            "merges": outcome.merge_count,
            "splits": outcome.split_count,
        },
    )


def _told(outcome: IdentityOutcome) -> str:
    known = f"{outcome.identifier_count:,} identifiers of {outcome.person_count:,} persons"
    if outcome.is_current:
        return f"unchanged: {known}"
    return f"{known}, {outcome.merge_count} merges; {outcome.matching}"

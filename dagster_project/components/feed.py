"""A feed's YAML as an asset: what its sender delivers, loaded into raw exactly once."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import BaseModel

from dagster_project.components.feed_metadata import loaded_metadata
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.declarations import (
    Feed,
    Template,
    check_feed,
    load_feeds,
    load_templates,
)
from dagster_project.core.home import FEEDS, TEMPLATES

if TYPE_CHECKING:
    import duckdb

    from dagster_project.core.feeds import FeedOutcome
    from dagster_project.core.feeds.standing import LoadFigures, Standing
    from dagster_project.core.warehouse import Warehouse

GROUP = "feeds"
EMAIL = re.compile(r"[^\s,;<>]+@[^\s,;<>]+")


class FeedComponent(dg.Component):
    """One sender's stream; the attributes are those of ``declarations.Feed``."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The declaration itself is the schema of the YAML."""
        return Feed

    @classmethod
    def load(
        cls, attributes: BaseModel | None, context: dg.ComponentLoadContext
    ) -> "FeedComponent":
        """Take the validated declaration as it is."""
        if not isinstance(attributes, Feed):
            raise dg.DagsterInvalidDefinitionError(f"{context.path}: no feed is declared")
        return cls(attributes)

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """One asset ``feed/<feed>``; raises DeclarationError where it misfits its template."""
        check_feed(self.feed, templates(), context.path / "defs.yaml")
        return dg.Definitions(assets=[feed_asset(self.feed, templates()[self.feed.template])])


@cache
def templates() -> Mapping[str, Template]:
    """Every shipped template by name, read once per process."""
    return load_templates(TEMPLATES)


def feed_key(feed: str) -> dg.AssetKey:
    """``feed/<feed>``."""
    return dg.AssetKey(["feed", feed])


def feed_asset(feed: Feed, template: Template) -> dg.AssetsDefinition:
    """The asset that takes a feed's waiting files into raw."""

    @dg.asset(
        key=feed_key(feed.feed),
        group_name=GROUP,
        description=feed.description,
        owners=EMAIL.findall(feed.owner) or ["team:data-engineering"],
        kinds={"file", feed.format},
        tags={"sender": feed.sender, "template": feed.template},
        metadata=_declared(feed),
        freshness_policy=_freshness(feed),
        pool=POOL,
    )
    def load(
        context: dg.AssetExecutionContext, writer: WriterResource
    ) -> dg.MaterializeResult[Any]:
        from dagster_project.core.feeds import SourceError, load_feed

        def tell(done: int, total: int) -> None:
            context.log.info(f"{done} of {total} files")

        seen: list[tuple[LoadFigures, Standing]] = []

        def look(connection: "duckdb.DuckDBPyConnection", outcome: "FeedOutcome") -> None:
            seen.append(_changed(connection, feed, template, outcome))

        try:
            outcome = load_feed(writer.warehouse, feed, template, on_progress=tell, on_loaded=look)
        except SourceError as error:
            # As a file that is held back: the other feeds' sales are not to wait for this server.
            context.log.error(str(error))
            outcome = error.outcome
        figures, standing = seen[0] if seen else _unchanged(context.run.run_id, writer, feed)
        told = loaded_metadata(outcome, figures, standing, datetime.now(UTC))
        return dg.MaterializeResult(metadata=told)

    return load


def _changed(
    connection: "duckdb.DuckDBPyConnection", feed: Feed, template: Template, outcome: "FeedOutcome"
) -> "tuple[LoadFigures, Standing]":
    """What a load brought beside its counts, and how its feed stands after it."""
    from dagster_project.core.feeds.standing import (
        feed_standings,
        load_figures,
    )

    figures = load_figures(connection, feed, template, outcome.batch_ids)
    found = feed_standings(connection, {feed.feed: feed}, datetime.now(UTC))
    return figures, found[feed.feed]


def _unchanged(run_id: str, writer: WriterResource, feed: Feed) -> "tuple[LoadFigures, Standing]":
    """How a feed stands of which nothing came; looked up once per run for all feeds."""
    from dagster_project.core.feeds.standing import LoadFigures, Standing

    found = _standings(run_id, writer.warehouse)
    return LoadFigures(), found.get(feed.feed, Standing())


@lru_cache(maxsize=1)
def _standings(run_id: str, warehouse: "Warehouse") -> "dict[str, Standing]":
    from dagster_project.core.feeds.standing import feed_standings

    feeds = load_feeds(FEEDS, dict(templates()))
    with warehouse.connect(read_only=True) as connection:
        return feed_standings(connection, feeds, datetime.now(UTC))


def _declared(feed: Feed) -> dict[str, Any]:
    return {
        "sender": feed.sender,
        "template": f"{feed.template} {feed.template_version}",
        "landing folder": f"landing/{feed.feed}/{feed.files}",
        "who to phone": feed.owner,
        "reject threshold": feed.arrival.reject_threshold,
    }


def _freshness(feed: Feed) -> dg.FreshnessPolicy | None:
    hours = feed.arrival.expected_hours
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours)) if hours else None

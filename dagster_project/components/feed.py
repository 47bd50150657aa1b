"""A feed's YAML as an asset: what its sender delivers, loaded into raw exactly once."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import dagster as dg
from pydantic import BaseModel

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.declarations import Feed, Template, check_feed, load_templates
from dagster_project.core.home import TEMPLATES

GROUP = "feeds"
EMAIL = re.compile(r"[^\s,;<>]+@[^\s,;<>]+")
SHOWN = 20  # held-back files named in the metadata; the ledger has them all


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
        from dagster_project.core.feeds import SourceError, load_feed  # noqa: PLC0415 - heavy

        def tell(done: int, total: int) -> None:
            context.log.info(f"{done} of {total} files")

        try:
            outcome = load_feed(writer.warehouse, feed, template, on_progress=tell)
        except SourceError as error:
            # As a file that is held back: the other feeds' sales are not to wait for this server.
            context.log.error(str(error))
            outcome = error.outcome
        return dg.MaterializeResult(metadata=loaded_metadata(outcome))

    return load


def loaded_metadata(outcome: Any) -> dict[str, Any]:
    """A load's counts as metadata that plots over time, and what was held back and why."""
    return {
        "files": outcome.file_count,
        "physical": outcome.physical_count,
        "loaded": outcome.loaded_count,
        "rejected": outcome.rejected_count,
        "duplicate": outcome.duplicate_count,
        "held_back": [f"{name}: {reason}" for name, reason in outcome.quarantined[:SHOWN]],
        "held_back_count": len(outcome.quarantined),
        "reject_reasons": {str(code): count for code, count in outcome.reject_reasons},
    }


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

"""Two checks on every feed: does it come when it should, and are few of its records rejected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from dagster_project.components.feed import feed_key, templates
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.declarations import Feed, load_feeds
from dagster_project.core.home import FEEDS

if TYPE_CHECKING:
    from dagster_project.core.feeds.standing import Standing

ARRIVES, REJECTS = "arrives_when_expected", "rejects_are_few"


@dg.definitions
def arrivals() -> dg.Definitions:
    """One step for all feeds: a few queries of the ledger, no file is read again."""
    feeds = load_feeds(FEEDS, dict(templates()))

    @dg.multi_asset_check(
        name="arrival_checks",
        specs=[spec for feed in feeds.values() for spec in _specs(feed)],
        pool=POOL,
    )
    def judge(context, writer: WriterResource) -> Iterator[dg.AssetCheckResult]:  # noqa: ANN001 - dagster takes no other annotation here
        from dagster_project.core.feeds.findings import review_silence
        from dagster_project.core.feeds.standing import feed_standings

        now = datetime.now(UTC)
        with writer.warehouse.connect() as connection:
            review_silence(connection, feeds.values(), now)
            standings = feed_standings(connection, feeds, now)
        open_count = sum(len(one.findings) for one in standings.values())
        context.log.info(f"{len(feeds)} feeds judged, {open_count} findings open")
        for name, standing in standings.items():
            yield _arrival(feeds[name], standing)
            yield _rejects(feeds[name], standing)

    return dg.Definitions(asset_checks=[judge])


def _specs(feed: Feed) -> Iterator[dg.AssetCheckSpec]:
    hours = feed.arrival.expected_hours
    expected = f"Something arrives every {hours:g} hours" if hours else "Nothing is expected"
    yield dg.AssetCheckSpec(
        ARRIVES, asset=feed_key(feed.feed), description=f"{expected}; {feed.owner} is to be phoned."
    )
    yield dg.AssetCheckSpec(
        REJECTS,
        asset=feed_key(feed.feed),
        description="Of the records of the last ten files, those of held-back files included, at "
        f"most {feed.arrival.reject_threshold:.0%} are rejected.",
    )


def _arrival(feed: Feed, standing: Standing) -> dg.AssetCheckResult:
    silent = [one.message for one in standing.findings if one.kind == "silence"]
    last = standing.last_arrived_at
    return dg.AssetCheckResult(
        asset_key=feed_key(feed.feed),
        check_name=ARRIVES,
        passed=not silent,
        severity=dg.AssetCheckSeverity.WARN,
        description=silent[0] if silent else None,
        metadata={"last delivery": dg.MetadataValue.timestamp(last)} if last else {},
    )


def _rejects(feed: Feed, standing: Standing) -> dg.AssetCheckResult:
    share = standing.reject_share
    return dg.AssetCheckResult(
        asset_key=feed_key(feed.feed),
        check_name=REJECTS,
        passed=share <= feed.arrival.reject_threshold,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "failed rows": standing.recent_rejected,
            "rows": standing.recent_physical,
            "files": standing.recent_files,
            "reject rate %": round(100 * share, 3),
            "who to phone": feed.owner,
        },
    )

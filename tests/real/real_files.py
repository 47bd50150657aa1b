"""Where the real files and the feeds that load them are, and what tests do with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dagster_project.core.feeds import FeedOutcome

FEEDS = Path(__file__).parent / "feeds"
DATA = Path(__file__).parents[3] / "shared" / "data"

Deliver = Callable[..., FeedOutcome]  # name of the feed, files
Query = Callable[[str], list[tuple[object, ...]]]

"""Samples of the shipped layouts, loaded into a warehouse by nothing but their layout."""

from __future__ import annotations

import shutil
from pathlib import Path

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import FeedOutcome, create_raw_tables
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

SAMPLES = Path(__file__).parents[1] / "samples" / "layouts"
SAMPLE_OF = {path.stem: path for path in SAMPLES.iterdir()}
TEMPLATES_BY_NAME = load_templates(TEMPLATES)


class Deliveries:
    """Samples loaded into one warehouse by nothing but their layout."""

    def __init__(self, home: Path) -> None:
        self.warehouse = Warehouse(Home(home).create(), MasterKey(b"l" * 32))
        self.warehouse.create()
        with self.warehouse.connect() as connection:
            create_raw_tables(connection, TEMPLATES_BY_NAME)

    def load(self, layout: str, path: Path | None = None, **own: object) -> FeedOutcome:
        """Load a file, the layout's sample if none is named, by a feed of that layout."""
        feed = feed_of(layout, **own)
        landing = self.warehouse.home.landing / layout
        landing.mkdir(parents=True, exist_ok=True)
        source = path or SAMPLE_OF[layout]
        shutil.copyfile(source, landing / source.name)
        return load_delivery(self.warehouse, feed, TEMPLATES_BY_NAME[feed.template])

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Rows of a query, times in UTC."""
        with self.warehouse.connect(read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query).fetchall()


def feed_of(layout: str, **own: object) -> Feed:
    """A feed that says nothing but what a layout cannot know."""
    said: dict[str, object] = {
        "feed": layout,
        "layout": layout,
        "sender": "sample",
        "owner": "Sample desk, sample@example.com",
        "files": "*",
        "arrival": {"complete_by": "rename"},
    }
    return Feed(**(said | own))

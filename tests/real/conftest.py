"""Real files loaded by feed YAML alone; every delivery accounts for each physical record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from real_files import DATA, FEEDS, Deliver, Query

from dagster_project.core.declarations import load_feed, load_templates
from dagster_project.core.feeds import FeedOutcome, create_raw_tables
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse


@pytest.fixture
def data() -> Path:
    """The folder of the real data sets; a test is skipped where they are not."""
    if not DATA.is_dir():
        pytest.skip("the real data sets are not beside the project")
    return DATA


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty warehouse."""
    made = Warehouse(Home(tmp_path / "home").create(), MasterKey(b"r" * 32))
    made.create()
    return made


@pytest.fixture
def query(warehouse: Warehouse) -> Query:
    """Rows of a query, times in UTC."""

    def rows(sql: str) -> list[tuple[object, ...]]:
        with warehouse.connect(read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()

    return rows


@pytest.fixture
def deliver(warehouse: Warehouse, data: Path) -> Deliver:
    """Load real files by a feed; physical = loaded + rejected + duplicate of every file."""
    templates = load_templates(TEMPLATES)
    with warehouse.connect() as connection:
        create_raw_tables(connection, templates)

    def take_in(name: str, *files: Path) -> FeedOutcome:
        feed = load_feed(FEEDS / name / "defs.yaml", templates)
        landing = warehouse.home.landing / name
        landing.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copyfile(path, landing / path.name)
        outcome = load_delivery(warehouse, feed, templates[feed.template])
        with warehouse.connect(read_only=True) as connection:
            unexplained = connection.execute(
                "select original_name from ops.file_ledger where status = 'loaded' "
                "and physical_count != loaded_count + rejected_count + duplicate_count"
            ).fetchall()
        assert not unexplained
        assert not outcome.quarantined
        return outcome

    return take_in

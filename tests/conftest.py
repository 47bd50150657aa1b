"""A fresh home with its key and warehouse, and a bench on which one feed is delivered to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from dagster_project.core import dbt_process
from dagster_project.core.declarations import Feed, Template, load_templates
from dagster_project.core.feeds import FeedOutcome, create_raw_tables, load_feed
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse
from tests.shared_parse import SharedParse
from tests.warm_dbt import WarmDbt

SHARE_A_WAREHOUSE = "tests/dbt/"
TEST_KEY = MasterKey(b"t" * 32)


@cache
def shipped_templates() -> Mapping[str, Template]:
    """The project's templates, read once: a test of another one reads its own."""
    return load_templates(TEMPLATES)


class ByFile(LoadFileScheduling):
    """The tests of a file stay on one worker, and so do those that share one built warehouse."""

    def _split_scope(self, nodeid: str) -> str:
        return (
            SHARE_A_WAREHOUSE
            if nodeid.startswith(SHARE_A_WAREHOUSE)
            else nodeid.split("::", maxsplit=1)[0]
        )


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """What ``-n`` distributes tests by."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: no worker is left alone with one in the end."""

    def minutes(item: pytest.Item) -> float:
        mark = item.get_closest_marker("long")
        return mark.kwargs.get("minutes", 1) if mark else 0

    items.sort(key=minutes, reverse=True)


@pytest.fixture(scope="session", autouse=True)
def one_parse(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[None]:
    """Homes that tests make begin with what dbt made of its project for an earlier one."""
    base = tmp_path_factory.getbasetemp()
    shared = SharedParse((base if worker_id == "master" else base.parent) / "parsed")
    make = Home.create

    def create(home: Home) -> Home:
        made = make(home)
        shared.give(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Home, "create", create)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_import() -> Iterator[None]:
    """dbt is imported once by each process of a test run."""
    warm = WarmDbt()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_process, "start", warm.start)
        yield
    warm.end()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home").create()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose warehouse has all raw tables and not a row; made once, to be copied."""
    made = Warehouse(Home(tmp_path_factory.mktemp("empty")).create(), TEST_KEY)
    made.create()
    with made.connect() as connection:
        create_raw_tables(connection, shipped_templates())
    return made.home


@pytest.fixture
def warehouse(home: Home, empty_home: Home) -> Warehouse:
    """A warehouse with all raw tables and not a row."""
    # The same file, not a copy: each copy would be loaded as a library of its own.
    shutil.copytree(
        empty_home.extensions, home.extensions, copy_function=os.link, dirs_exist_ok=True
    )
    shutil.copyfile(empty_home.warehouse, home.warehouse)
    return Warehouse(home, TEST_KEY)


@dataclass(frozen=True)
class Bench:
    """One feed, its landing folder, and questions to the warehouse."""

    warehouse: Warehouse
    feed: Feed
    template: Template

    @property
    def landing(self) -> Path:
        folder = self.warehouse.home.landing / self.feed.feed
        folder.mkdir(exist_ok=True)
        return folder

    def deliver(self, name: str, content: bytes | str) -> Path:
        """Put a file into the landing folder."""
        path = self.landing / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def load(self) -> FeedOutcome:
        """Load what was delivered."""
        return load_feed(self.warehouse, self.feed, self.template)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.warehouse.connect(read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()


@pytest.fixture
def bench_for(warehouse: Warehouse) -> Callable[..., Bench]:
    """Makes a bench for a feed given as its declaration."""

    def make(**declared: Any) -> Bench:
        feed = Feed(**declared)
        template = shipped_templates()[feed.template]
        return Bench(warehouse, feed, template)

    return make

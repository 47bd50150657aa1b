"""Canaries of one seed into every template: after the load only the vault names anybody."""

from __future__ import annotations

import os
import shutil

import pytest

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import load_feed
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.warehouse import Warehouse
from tests.conftest import TEST_KEY
from tests.privacy.canary_values import canaries
from tests.privacy.made_feeds import deliver, swept
from tests.privacy.searching import Haystack, needle, search_duckdb, search_files
from tests.privacy.sweep import VAULT, is_allowed, needles

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def loaded(empty_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse that took four canary files of every record with something to protect."""
    home = Home(tmp_path_factory.mktemp("canaries")).create()
    # The same file, not a copy: each copy would be loaded as a library of its own.
    shutil.copytree(
        empty_home.extensions, home.extensions, copy_function=os.link, dirs_exist_ok=True
    )
    shutil.copyfile(empty_home.warehouse, home.warehouse)
    warehouse = Warehouse(home, TEST_KEY)
    templates = load_templates(TEMPLATES)
    for one in swept(templates):
        deliver(canaries(1), one, home.landing)
        outcome = load_feed(warehouse, Feed(**one.attributes()), one.template)
        # A custom template without fields of its own repeats the records of the one it extends.
        assert outcome.loaded_count + outcome.duplicate_count > 0, one.feed
        assert outcome.rejected_count > 0, one.feed
        assert len(outcome.quarantined) >= 2, one.feed
    return warehouse


def test_after_a_load_only_the_vault_names_anybody(loaded: Warehouse) -> None:
    looked_for = [*needles(canaries(1), swept(load_templates(TEMPLATES)))]
    hay = Haystack([*looked_for, needle("secret/verification value", ", cvv 739")])
    with loaded.connect(read_only=True) as connection:
        count, hits = search_duckdb(connection, "private", hay)
    assert count > 500
    assert [hit for hit in hits if not is_allowed(hit)] == []
    assert len({hit.label for hit in hits if hit.place.startswith(VAULT)}) > 20


def test_no_file_of_the_home_holds_a_canary_after_a_load(loaded: Warehouse) -> None:
    hay = Haystack(needles(canaries(1), swept(load_templates(TEMPLATES))))
    size, hits = search_files(loaded.home.root, hay)
    assert size > 10**6
    assert hits == []

"""A backup from before an erasure brings nobody back, wherever it is restored to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.core.backup import backup, restore, restore_drill, restore_into
from dagster_project.core.erasure.erasing import Erasure, erase
from dagster_project.core.erasure.finding import Selectors
from dagster_project.core.erasure.sweeping import sweep_tables
from dagster_project.core.home import Home
from dagster_project.core.warehouse import Warehouse, WriterLock
from tests.unit.erasure_shop import FEEDS, KIM_NAME, open_shop, rows

KIM = Selectors(members=("shop:M1",))


@pytest.fixture
def shop(warehouse: Warehouse) -> Warehouse:
    """A shop that was backed up and then erased one of its members."""
    opened = open_shop(warehouse)
    with WriterLock(opened.home).acquire() as lock:
        backup(opened, lock)
    return opened


def erased(shop: Warehouse) -> Erasure:
    with WriterLock(shop.home).acquire() as lock:
        return erase(shop, lock, KIM, reason="asked by letter", feeds=FEEDS)


def left(warehouse: Warehouse, erasure: Erasure) -> dict[str, int]:
    """Tables in which a token, a clear value or a key of hers stands."""
    with warehouse.connect(read_only=True) as connection:
        swept = sweep_tables(connection, erasure.traces)
    return {one.table: one.found for one in swept if one.found}


def test_a_restore_in_place_erases_again(shop: Warehouse) -> None:
    erasure = erased(shop)
    after = rows(shop, "select * from raw.pos_standard__line order by all")

    with WriterLock(shop.home).acquire() as lock:
        done = restore(shop.home, shop.key, "newest", lock)

    assert done.erasures == 1
    assert left(shop, erasure) == {}
    assert rows(shop, "select * from raw.pos_standard__line order by all") == after


def test_a_restore_elsewhere_and_a_drill_know_of_erasures_since(
    shop: Warehouse, tmp_path: Path
) -> None:
    erasure = erased(shop)
    target = Home(tmp_path / "other").create()

    done = restore_into(shop.home, shop.key, "newest", target)

    assert done.erasures == 1
    assert left(Warehouse(target, shop.key), erasure) == {}
    with WriterLock(shop.home).acquire():
        assert restore_drill(shop.home, shop.key).rows == done.rows


def test_without_an_erasure_she_is_in_it(shop: Warehouse, tmp_path: Path) -> None:
    target = Home(tmp_path / "other").create()
    restore_into(shop.home, shop.key, "newest", target)

    clear = rows(Warehouse(target, shop.key), "select value from vault.personal_value")
    assert (KIM_NAME,) in clear

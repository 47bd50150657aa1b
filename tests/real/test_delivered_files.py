"""Real files of several kinds, loaded by feed YAML alone; their stated totals must come out."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from dagster_project.core.declarations import load_feed, load_templates
from dagster_project.core.feeds import FeedOutcome, create_raw_tables
from dagster_project.core.feeds import load_feed as load_delivery
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse

FEEDS = Path(__file__).parent / "feeds"
DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data sets are not beside the project"
)

Deliver = Callable[[str, list[Path]], FeedOutcome]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(Home(tmp_path / "home").create(), MasterKey(b"r" * 32))
    made.create()
    return made


@pytest.fixture
def deliver(warehouse: Warehouse) -> Deliver:
    templates = load_templates(TEMPLATES)
    with warehouse.connect() as connection:
        create_raw_tables(connection, templates)

    def take_in(name: str, files: list[Path]) -> FeedOutcome:
        feed = load_feed(FEEDS / name / "defs.yaml", templates)
        landing = warehouse.home.landing / name
        landing.mkdir(parents=True, exist_ok=True)
        for path in files:
            shutil.copyfile(path, landing / path.name)
        return load_delivery(warehouse, feed, templates[feed.template])

    return take_in


def value(warehouse: Warehouse, query: str) -> tuple[object, ...]:
    with warehouse.connect(read_only=True) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_nine_months_of_web_orders_come_in_whole(warehouse: Warehouse, deliver: Deliver) -> None:
    outcome = deliver("uci_online", sorted((DATA / "online_retail_uci").glob("*.csv")))

    assert outcome.file_count == 219
    assert outcome.physical_count == 320_705
    assert (outcome.loaded_count, outcome.rejected_count) == (320_705, 0)
    total, orders, returns, without_member = value(
        warehouse,
        """
        select
            (select sum(list_amount) from raw.web_order__line),
            (select count(distinct order_id) from raw.web_order__order),
            (select count(*) from raw.web_order__line where left(order_id, 1) = 'C'),
            (select count(*) from raw.web_order__line where order_id in (
                select order_id from raw.web_order__order where member_number_token is null))
        """,
    )
    assert round(Decimal(str(total)), 2) == Decimal("5761931.38")
    assert (orders, returns, without_member) == (16_459, 5_847, 88_652)


def test_the_same_web_orders_delivered_again_change_nothing(
    warehouse: Warehouse, deliver: Deliver
) -> None:
    files = sorted((DATA / "online_retail_uci").glob("2010-12-*.csv"))
    deliver("uci_online", files)
    counts = "select count(*), sum(_content_hash) from raw.web_order__line"
    before = value(warehouse, counts)

    again = deliver("uci_online", files)

    assert again.loaded_count == 0
    assert value(warehouse, counts) == before


def test_a_bakery_s_till_keeps_its_repeats_and_its_empty_items(
    warehouse: Warehouse, deliver: Deliver
) -> None:
    outcome = deliver("bread_basket", [DATA / "baskets" / "BreadBasket_DMS.csv"])

    assert (outcome.physical_count, outcome.rejected_count) == (21_293, 0)
    receipts, lines = value(
        warehouse,
        """
        select
            (select count(distinct receipt_id) from raw.pos_standard__receipt),
            (select count(*) from raw.pos_standard__line)
        """,
    )
    # 786 of the 21,293 lines name no article; their receipts are kept all the same.
    assert (receipts, lines) == (9_531, 21_293 - 786)

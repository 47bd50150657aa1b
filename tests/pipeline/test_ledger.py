"""Forty receipts written by hand: every mart's figures are those worked out on paper."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_warehouse import SmallWarehouse

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds import load_feed
from dagster_project.core.identity.resolve import resolve_persons

LEDGER = Path(__file__).parent / "ledger"
EXPECTED: dict[str, Any] = yaml.safe_load((LEDGER / "expected.yaml").read_text("utf-8"))
# File → template and record; its columns are named like the record's fields.
FILES = {
    "stores": ("store", "store"),
    "products": ("product", "product"),
    "rates": ("exchange_rate", "rate"),
    "members": ("member", "member"),
    "receipts": ("pos_restaurant", "receipt"),
    "lines": ("pos_restaurant", "line"),
    "tenders": ("pos_restaurant", "tender"),
    "discounts": ("pos_standard", "discount"),
    "sessions": ("pos_standard", "session"),
    "orders": ("web_order", "order"),
    "order_lines": ("web_order", "line"),
    "order_payments": ("web_order", "payment"),
}


def declared(name: str) -> Feed:
    """The feed of one file: every column gives the field of its own name."""
    template, record = FILES[name]
    header = (LEDGER / f"{name}.csv").read_text("utf-8").splitlines()[0].split(",")
    return Feed(
        feed=f"ledger_{name}",
        description="A file of the ledger.",
        sender="ledger",
        template=template,
        owner="test",
        format="csv",
        files="*.csv",
        time_zone="Europe/Berlin",
        arrival={"complete_by": "rename"},
        columns={column: [] for column in header},
        records={record: {"fields": {column: column for column in header}}},
    )


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> SmallWarehouse:
    """The ledger, loaded file by file and modelled; every check of the models has passed."""
    small = SmallWarehouse(tmp_path_factory.mktemp("ledger"))
    for name in FILES:
        feed = declared(name)
        content = (LEDGER / f"{name}.csv").read_text("utf-8")
        folder = small.home.landing / feed.feed
        folder.mkdir(parents=True)
        (folder / f"{name}.csv").write_text(content, "utf-8")
        outcome = load_feed(small.warehouse, feed, small.templates[feed.template])
        assert outcome.loaded_count == len(content.splitlines()) - 1, outcome
    with small.warehouse.connect() as connection:
        resolve_persons(connection)
    run = small.dbt("build", "--exclude-resource-type", "unit_test")
    assert run.exit_code == 0, run.words
    return small


def exact(value: Any) -> Any:
    """Numbers of the page as decimals: 0.1 is a tenth."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


@pytest.mark.parametrize("figure", EXPECTED)
def test_a_figure_is_the_one_worked_out_on_paper(books: SmallWarehouse, figure: str) -> None:
    stated = EXPECTED[figure]
    found = books.query(stated["query"])
    assert [tuple(map(exact, row)) for row in found] == [
        tuple(map(exact, row)) for row in stated["rows"]
    ]

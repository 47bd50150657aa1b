"""The till lines that tests of loading deliver: one feed, three rows, and its questions."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Bench

LINES = {
    "feed": "till_lines",
    "description": "Lines of one till.",
    "sender": "corner",
    "template": "pos_standard",
    "owner": "test",
    "format": "csv",
    "files": "*.csv",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
    "columns": {"bon": [], "pos": ["position"], "sku": [], "qty": [], "amount": [], "at": []},
    "records": {
        "line": {
            "fields": {
                "receipt_id": "bon",
                "line_number": "pos",
                "line_type": "'sale'",
                "product_code": "sku",
                "quantity": "qty",
                "list_amount": "amount",
                "discount_amount": "'0'",
                "tax_amount": "'0'",
                "sold_at": "at",
            }
        }
    },
}
HEADER = "bon,pos,sku,qty,amount,at\n"
ONE = "R1,1,milk,2,3.50,2017-03-01 10:00:00\n"
TWO = "R1,2,tea,0.250,4.00,2017-03-01 10:00:00\n"
THREE = "R2,1,bread,1,2.10,2017-03-01 11:00:00\n"
PRODUCTS = "select product_code from raw.pos_standard__line order by product_code"
MakeBench = Callable[..., Bench]


def rejects(bench: Bench) -> list[tuple[object, ...]]:
    """Place, column and code of every rejected record."""
    return bench.rows(
        "select record_number, first_line, last_line, byte_offset, column_name, error_code "
        "from ops.rejects order by record_number"
    )


def counts(bench: Bench) -> tuple[int, int, int, int]:
    """Physical, loaded, rejected and duplicate records of one load."""
    outcome = bench.load()
    return (
        outcome.physical_count,
        outcome.loaded_count,
        outcome.rejected_count,
        outcome.duplicate_count,
    )

"""Figures that a file states of itself, against its rows; bills of made-up merchants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.core.feeds import check_feed_file, replay_feed
from tests.conftest import Bench

MakeBench = Callable[..., Bench]
FIELDS = {
    "receipt_id": "no",
    "tender_number": "'1'",
    "tender_type_code": "'alipay'",
    "amount": "paid",
    "currency_code": "'CNY'",
    "sold_at": "at",
}
BILL: dict[str, Any] = {
    "feed": "bill",
    "description": "A merchant's bill.",
    "sender": "wallet",
    "template": "pos_standard",
    "owner": "Payments, +44 20 0000 0000",
    "format": "csv",
    "files": "*",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.6},
    "dialect": {"preamble_lines": 2, "footer_lines": 3},
    "columns": {"no": [], "kind": [], "paid": [], "at": []},
    "records": {"tender": {"fields": FIELDS}},
    "totals": [
        {
            "pattern": r"^#交易合计：(?P<payments>\d+)笔，商家实收共(?P<received>-?[\d.,]+)元",
            "agrees": {
                "payments": "count(*) filter (where kind = '交易')",
                "received": "sum(try_cast(amount(paid) as decimal(18, 2))) "
                "filter (where kind = '交易')",
            },
        },
        {
            "pattern": r"^#退款合计：(?P<refunds>\d+)笔，商家实收退款共(?P<refunded>-?[\d.,]+)元",
            "agrees": {
                "refunds": "count(*) filter (where kind = '退款')",
                "refunded": "sum(try_cast(amount(paid) as decimal(18, 2))) "
                "filter (where kind = '退款')",
            },
        },
    ],
}
START = "#业务明细查询\n#账号：[2088]\nno,kind,paid,at\n"
ROWS = (
    "P1,交易,0.01,2019-09-16 10:00:00\n"
    "P2,交易,1200.50,2019-09-16 11:00:00\n"
    "P1,退款,-0.01,2019-09-16 12:00:00\n"
)
END = (
    "#交易合计：2笔，商家实收共1200.51元\n"
    "#退款合计：1笔，商家实收退款共-0.01元\n"
    "#导出时间：[2019]\n"
)


@pytest.fixture
def bill(bench_for: MakeBench) -> Bench:
    return bench_for(**BILL)


def ledger(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.rows(
        "select physical_count, loaded_count, rejected_count, status, reason "
        "from ops.file_ledger order by original_name"
    )


def test_a_bill_whose_rows_come_to_its_totals_is_loaded(bill: Bench) -> None:
    # P1's refund has P1's key: a second content of one tender, loaded beside it.
    bill.deliver("a.csv", START + ROWS + END)
    bill.load()
    assert ledger(bill) == [(3, 3, 0, "loaded", None)]


def test_a_row_that_got_lost_holds_the_bill_back_with_both_figures(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS.partition("\n")[2] + END)
    bill.load()
    assert ledger(bill) == [
        (
            2, 0, 2, "quarantined",
            "the footer says 2 payments, the rows have 1; "
            "the footer says 1,200.51 received, the rows have 1,200.50",
        )
    ]  # fmt: skip
    assert bill.rows("select count(*) from raw.pos_standard__tender") == [(0,)]


def test_an_amount_that_was_changed_holds_the_bill_back(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS.replace("-0.01", "-0.02") + END)
    bill.load()
    assert [row[3:] for row in ledger(bill)] == [
        ("quarantined", "the footer says -0.01 refunded, the rows have -0.02")
    ]


def test_a_total_that_is_not_there_holds_the_bill_back(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS + END.replace("#退款合计", "#合计"))
    bill.load()
    assert [row[3:] for row in ledger(bill)] == [
        ("quarantined", "no line states refunds and refunded")
    ]


def test_rejected_rows_belong_to_what_the_bill_states(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS.replace("2019-09-16 11:00:00", "yesterday") + END)
    bill.load()
    assert ledger(bill) == [(3, 2, 1, "loaded", None)]


def test_a_row_that_cannot_even_be_split_is_missed_and_said_so(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS.replace("P2,交易,1200.50", "P2;交易;1200.50") + END)
    bill.load()
    [(physical, loaded, _, status, reason)] = ledger(bill)
    assert (physical, loaded, status) == (3, 0, "quarantined")
    assert reason.startswith("the footer says 2 payments, the rows have 1; ")
    assert reason.endswith("(records that could not be read: 1)")


def test_a_bill_of_no_rows_states_zeros(bill: Bench) -> None:
    nothing = END.replace("2笔", "0笔").replace("1200.51", "0.00")
    nothing = nothing.replace("1笔", "0笔").replace("-0.01", "0.00")
    bill.deliver("a.csv", START + nothing)
    bill.load()
    assert ledger(bill) == [(0, 0, 0, "loaded", None)]


def test_several_bills_of_a_batch_each_answer_for_themselves(bill: Bench) -> None:
    one = "P7,交易,5,2019-09-17 10:00:00\n"
    end = "#交易合计：1笔，商家实收共5.000元\n#退款合计：0笔，商家实收退款共0元\n#x\n"
    bill.deliver("a.csv", START + ROWS + END)
    bill.deliver("b.csv", START + one.replace("5", "6", 1) + end)
    bill.deliver("c.csv", START + one + end)
    bill.load()
    assert [row[3] for row in ledger(bill)] == ["loaded", "quarantined", "loaded"]


def test_a_bill_sent_again_with_its_right_totals_is_loaded_even_in_one_batch(bill: Bench) -> None:
    bill.deliver("a.csv", START + ROWS + END.replace("2笔", "3笔"))
    bill.deliver("b.csv", START + ROWS + END)
    bill.deliver("c.csv", START + ROWS + END.replace("[2019]", "[2020]"))
    bill.load()
    assert bill.rows("select status from ops.file_ledger order by original_name") == [
        ("quarantined",), ("loaded",), ("duplicate",),
    ]  # fmt: skip


def test_a_replay_lets_a_bill_in_once_the_feed_reads_its_totals_rightly(
    bench_for: MakeBench,
) -> None:
    wrong = bench_for(**BILL | {"totals": [{"pattern": "(?P<rows>[0-9]+)笔", "agrees": {
        "rows": "count(*)"}}]})  # fmt: skip
    wrong.deliver("a.csv", START + ROWS + END)
    wrong.load()
    assert [row[3] for row in ledger(wrong)] == ["quarantined"]
    right = bench_for(**BILL)

    replay_feed(right.warehouse, right.feed, right.template)

    assert ledger(right) == [(3, 3, 0, "loaded", None)]


def test_a_check_tells_of_totals_that_disagree(bill: Bench) -> None:
    path = bill.deliver("a.csv", START + ROWS + END.replace("2笔", "3笔"))
    outcome = check_feed_file(bill.feed, bill.template, path, bill.warehouse.home)
    assert outcome.reason == "the footer says 3 payments, the rows have 2"


WECHAT: dict[str, Any] = BILL | {
    "dialect": {"footer_lines": 2},
    "columns": {"时间": [], "单号": [], "金额": []},
    "records": {
        "tender": {
            "fields": FIELDS
            | {"receipt_id": "ltrim(单号, '`')", "amount": "金额", "sold_at": "ltrim(时间, '`')"}
            | {"amount": "amount(金额)"}
        }
    },
    "totals": [
        {
            "pattern": r"^`(?P<orders>\d+),`(?P<amount>[\d.]+)",
            "agrees": {"orders": "count(*)", "amount": "sum(amount(金额)::double)"},
        }
    ],
}
WECHAT_ROWS = "".join(f"`2021-01-28 17:07:0{i},`N{i},`0.10\n" for i in range(3))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        # Three times 0.1 is 0.30000000000000004 in binary fractions.
        pytest.param("`3,`0.30\n", None, id="agrees"),
        pytest.param("`3,`0.30", None, id="no last newline"),
        pytest.param("`4,`0.30\n", "the footer says 4 orders, the rows have 3", id="count"),
        pytest.param("`3,`0.31\n", "the footer says 0.31 amount, the rows have 0.30", id="sum"),
        pytest.param("3,0.30\n", "no line states orders and amount", id="another layout"),
    ],
)
def test_a_totals_row_with_back_ticks_is_compared(
    bench_for: MakeBench, row: str, reason: str | None
) -> None:
    bill = bench_for(**WECHAT)
    bill.deliver("a.csv", "时间,单号,金额\n" + WECHAT_ROWS + "总交易单数,总金额\n" + row)
    bill.load()
    assert [line[4] for line in ledger(bill)] == [reason]


def test_a_preamble_states_totals_in_the_senders_encoding(bench_for: MakeBench) -> None:
    dialect = {"preamble_lines": 2, "encoding": "gb18030", "thousands_mark": ","}
    totals = [{"pattern": "收入：(?P<income>[0-9.,]+)元", "agrees": {
        "income": "sum(amount(paid)::decimal(18, 2))"}}]  # fmt: skip
    bill = bench_for(**BILL | {"dialect": dialect, "totals": totals})
    text = (
        '共2笔记录\n收入：{}元\nno,kind,paid,at\nP1,收,"1,000.00",2021-01-01\nP2,收,5,2021-01-02\n'
    )
    bill.deliver("a.csv", text.format("1,005.00").encode("gb18030"))
    bill.deliver("b.csv", text.format("1,004.00").replace("P", "Q").encode("gb18030"))
    bill.load()
    assert [row[4] for row in ledger(bill)] == [
        None,
        "the preamble says 1,004 income, the rows have 1,005",
    ]

"""Bills and ledgers: signs, references and totals of every layout, worked out by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from layout_deliveries import SAMPLE_OF, Deliveries


@pytest.fixture
def deliveries(tmp_path: Path) -> Deliveries:
    return Deliveries(tmp_path / "home")


SETTLED = (
    "select reference_number, line_type, gross_amount::double, fee_amount::double, "
    "net_amount::double, payment_reference from raw.settlement_line__line order by settled_at"
)


def test_alipay_refunds_of_one_payment_are_lines_of_their_own_and_negative(
    deliveries: Deliveries,
) -> None:
    deliveries.load("alipay_merchant_bill")

    number = "2026030822000000000000000001"
    # One refund is written with a sign and one without.
    assert deliveries.rows(SETTLED) == [
        (number, "payment", 1200.0, 7.14, 1182.86, None),
        (f"{number}/RE-1", "refund", -100.0, -0.59, -98.41, number),
        (f"{number}/RE-2", "refund", -50.0, -0.3, -49.7, number),
    ]


def test_wechat_refunds_have_their_own_number_and_the_payment_s(deliveries: Deliveries) -> None:
    deliveries.load("wechat_pay_merchant_bill")

    number = "4200000000202603080000000001"
    assert deliveries.rows(SETTLED) == [
        ("4200000000202603080000000002", "payment", 10.0, 0.06, 9.94, None),
        (number, "payment", 88.0, 0.528, 87.472, None),
        ("5030000000000001", "refund", -8.0, -0.048, -7.952, number),
    ]


def test_an_acquirer_s_cents_are_amounts_by_their_kind(deliveries: Deliveries) -> None:
    deliveries.load("bank_acquirer_lines")

    assert sorted(deliveries.rows(SETTLED)) == [
        ("000000000001", "payment", 125.0, 1.25, 123.75, None),
        ("000000000002", "refund", -25.0, -0.25, -24.75, None),
        ("000000000003", "fee", 0.0, 3.0, -3.0, None),
    ]


def damaged_alipay(content: bytes) -> bytes:
    return content.replace(b"1190.00\xd4\xaa", b"1191.00\xd4\xaa")


def damaged_wechat(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    return b"".join(lines[:2] + lines[3:])


def damaged_acquirer(content: bytes) -> bytes:
    return content.replace(b"000000012500", b"000000012600")


def damaged_payer(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param("alipay_merchant_bill", damaged_alipay, id="another sum"),
        pytest.param("wechat_pay_merchant_bill", damaged_wechat, id="a row lost"),
        pytest.param("bank_acquirer_lines", damaged_acquirer, id="an amount changed"),
        pytest.param("wechat_pay_payer_bill", damaged_payer, id="cut off"),
        pytest.param("jd_payer_bill", damaged_payer, id="cut off, by kind"),
    ],
)
def test_a_bill_that_disagrees_with_its_own_totals_is_held_back(
    name: str, damage: Callable[[bytes], bytes], deliveries: Deliveries, tmp_path: Path
) -> None:
    whole = SAMPLE_OF[name].read_bytes()
    path = tmp_path / "bill"
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole

    outcome = deliveries.load(name, path)

    assert outcome.loaded_count == 0
    assert re.search(r"says .* the rows have", outcome.quarantined[0][1])


PAID = (
    "select transaction_type, amount::double, refunded_amount::double, fee_amount::double "
    "from raw.card_transaction__transaction order by transacted_at"
)


def test_a_payer_s_wechat_bill_tells_refunds_fees_and_directions(deliveries: Deliveries) -> None:
    deliveries.load("wechat_pay_payer_bill")

    assert deliveries.rows(PAID) == [
        ("purchase", 30.0, 5.0, None),
        ("transfer", -20.0, None, None),
        ("cash_advance", 100.0, None, 0.1),
    ]
    number = "select reference_number, receipt_id from raw.card_transaction__transaction limit 1"
    assert '"' not in str(deliveries.rows(number))


def test_a_payer_s_jd_bill_states_refunds_behind_the_amount(deliveries: Deliveries) -> None:
    deliveries.load("jd_payer_bill")

    assert deliveries.rows(PAID) == [
        ("purchase", 10.0, None, None),
        ("purchase", 131.77, 89.84, None),
        ("refund", -89.84, None, None),
    ]


def test_prepaid_entries_get_the_sign_of_what_they_do(deliveries: Deliveries) -> None:
    deliveries.load("prepaid_ledger")

    entries = deliveries.rows(
        "select entry_type, amount::double, balance_after_amount::double "
        "from raw.prepaid_entry__entry order by entry_id"
    )
    assert entries == [
        ("load", 1500.0, 1500.0),
        ("redeem", -12.5, 1487.5),
        ("reverse", 12.5, 1500.0),
    ]

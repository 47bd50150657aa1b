"""One delivery into each kind of template: what of it stands in raw, and what does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import TEST_KEY, Bench

MakeBench = Callable[..., Bench]
CARD = "4111111111111111"
CLINIC = {
    "receipt": {
        "receipt_id": "bill",
        "receipt_type": "'sale'",
        "store_code": "'clinic'",
        "sold_at": "paid",
        "currency_code": "'CNY'",
        "patient_reference": "patient",
        "patient_birth_date": "born",
        "insurer_share": "share",
        "insurer_amount": "insurer",
    },
    "line": {
        "receipt_id": "bill",
        "line_number": "'1'",
        "line_type": "'sale'",
        "quantity": "'1'",
        "list_amount": "'300'",
        "discount_amount": "'0'",
        "tax_amount": "'0'",
        "sold_at": "paid",
        "service_code": "service",
        "diagnosis_code": "diagnosis",
    },
}
VISITS = """\
bill,paid,patient,born,share,insurer,service,diagnosis
B1,2017-03-01 10:00:00,P-001,1984-06-30,0.8,240.00,XRAY,J18.9
B2,2017-03-01 11:00:00,P-002,1991-02-01,80%,240.00,XRAY,J18.9
B3,2017-03-01 12:00:00,P-001,1984-06-30,,,BLOOD,
"""


def feed(name: str, records: dict[str, dict[str, str]], columns: str) -> dict[str, Any]:
    return {
        "feed": "sender_one",
        "description": "Rows by hand.",
        "sender": "one",
        "template": name,
        "owner": "test",
        "format": "csv",
        "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
        "columns": {column: [] for column in columns.strip().split(",")},
        "records": {record: {"fields": fields} for record, fields in records.items()},
    }


def test_what_a_clinic_adds_stands_beside_the_standard_columns(bench_for: MakeBench) -> None:
    clinic = bench_for(**feed("pos_clinic", CLINIC, VISITS.splitlines()[0]))
    clinic.deliver("day.csv", VISITS)

    outcome = clinic.load()

    # B2's share is no number: the visit is rejected, the two others are whole.
    assert (outcome.physical_count, outcome.loaded_count, outcome.rejected_count) == (3, 2, 1)
    found = clinic.rows("select receipt_id, _extra from raw.pos_standard__receipt order by all")
    first, third = (json.loads(extra) for _, extra in found)
    token = TEST_KEY.token("patient", "P-001")
    assert [receipt for receipt, _ in found] == ["B1", "B3"]
    assert first["patient_reference_token"] == third["patient_reference_token"] == token
    assert (first["patient_birth_date_decade"], first["insurer_share"]) == (1980, 0.8)
    assert Decimal(str(first["insurer_amount"])) == Decimal("240")
    assert third["insurer_share"] is None


def test_neither_patient_nor_diagnosis_of_a_clinic_is_in_any_column(bench_for: MakeBench) -> None:
    clinic = bench_for(**feed("pos_clinic", CLINIC, VISITS.splitlines()[0]))
    clinic.deliver("day.csv", VISITS)
    clinic.load()

    for table in ("receipt", "line"):
        rows = clinic.rows(f"select * from raw.pos_standard__{table}")
        text = repr(rows)
        assert len(rows) == 2
        for secret in ("P-001", "J18.9", "1984"):
            assert secret not in text
    vault = clinic.rows("select domain, value from vault.personal_value where domain = 'patient'")
    assert vault == [("patient", "P-001")]  # not P-002, whose visit was rejected


def test_standard_and_custom_tills_of_one_chain_share_their_tables(bench_for: MakeBench) -> None:
    till = {name: CLINIC["line"][name] for name in list(CLINIC["line"])[:8]} | {"sold_at": "paid"}
    columns = "bill,paid"
    shop = bench_for(**feed("pos_standard", {"line": till}, columns))
    cinema = bench_for(
        **feed("pos_cinema", {"line": till | {"film_code": "film"}}, columns + ",film")
        | {"feed": "cinema", "sender": "cinema"}
    )
    shop.deliver("shop.csv", "bill,paid\nS1,2017-03-01 10:00:00\n")
    cinema.deliver("cinema.csv", "bill,paid,film\nC1,2017-03-01 20:00:00,HERO\n")

    shop.load()
    cinema.load()

    rows = shop.rows("select receipt_id, _extra ->> 'film_code' from raw.pos_standard__line")
    assert sorted(rows, key=str) == [("C1", "HERO"), ("S1", None)]


def test_a_row_delivered_again_with_another_added_value_is_another_content(
    bench_for: MakeBench,
) -> None:
    line = CLINIC["line"] | {"service_code": "service"}
    clinic = bench_for(**feed("pos_clinic", {"line": line}, "bill,paid,service,diagnosis"))
    clinic.deliver("a.csv", "bill,paid,service,diagnosis\nB1,2017-03-01 10:00:00,XRAY,\n")
    clinic.load()
    clinic.deliver("b.csv", "bill,paid,service,diagnosis\nB1,2017-03-01 10:00:00,BLOOD,\n")

    clinic.load()

    rows = clinic.rows("select _extra ->> 'service_code' from raw.pos_standard__line order by all")
    assert rows == [("BLOOD",), ("XRAY",)]
    assert clinic.rows("select raw_table from ops.raw_conflict") == [("pos_standard__line",)]


# Raw table, delivered rows (columns are named after the fields), and what raw then holds.
DELIVERIES = [
    (
        "price__price",
        "product_code,store_code,zone_code,valid_from_at,currency_code,list_price,sale_price\n"
        "milk,,north,2017-03-01 00:00:00,GBP,1.20,0.99\n",
        "list_price - sale_price", Decimal("0.21"),
    ),
    (
        "employee__employee",
        "employee_number,effective_at,operator_code,name,role_code\n"
        "E7,2017-03-01 00:00:00,12,Jane Doe,cashier\n",
        "operator_code_token", TEST_KEY.token("operator", "12"),
    ),
    (
        "stock_movement__movement",
        "movement_id,movement_type,store_code,product_code,quantity,moved_at\n"
        "M1,waste,S1,milk,-2.5,2017-03-01 20:00:00\n",
        "quantity", Decimal("-2.5"),
    ),
    (
        "market_price__observation",
        "region_code,region_level,competitor_code,product_code,period_type,period_ends_on,"
        "currency_code,unit_of_measure,average_price,sold_quantity\n"
        "Albany,city,,avocado conventional,week,2015-12-27,USD,each,1.33,64236.62\n",
        "average_price * sold_quantity", Decimal("85434.7046"),
    ),
    (
        "survey_response__answer",
        "response_id,question_code,question_type,score,comment,answered_at\n"
        f"A1,recommend,nps,9,my card {CARD} was refused,2017-03-01 20:00:00\n",
        "contains(comment, '411111******1111')", True,
    ),
    (
        "service_case__case",
        "case_id,opened_at,closed_at,status,channel_code,priority,outcome_code\n"
        "K1,2017-03-01 20:00:00,2017-03-03 08:00:00,closed,chat,high,refund\n",
        "date_diff('hour', opened_at, closed_at)", 36,
    ),
    (
        "prepaid_entry__entry",
        "entry_id,account_id,card_number,entry_type,amount,balance_after_amount,currency_code,"
        "booked_at\n"
        f"L1,{CARD},{CARD},redeem,-5.00,15.00,GBP,2017-03-01 20:00:00\n",
        "account_id_token", TEST_KEY.token("prepaid_card", CARD),
    ),
    (
        "web_session__session",
        "session_id,store_code,month_number,product_page_count,product_seconds,exit_share,"
        "is_converted\n"
        "V1,web,2,2,2.666666667,0.14,FALSE\n",
        "is_converted", False,
    ),
    (
        "card_transaction__transaction",
        "transaction_id,transacted_at,transaction_type,amount,currency_code,card_number,"
        "card_expiry,merchant_id\n"
        f"T1,2017-03-01 20:00:00,purchase,12.50,GBP,{CARD},12/19,M77\n",
        "card_number_token", TEST_KEY.token("card", CARD),
    ),
    (
        "web_order__refund",
        "refund_id,order_id,status,refund_amount,currency_code,refunded_at\n"
        "F1,O1,paid,19.90,GBP,2017-03-05 20:00:00\n",
        "refund_amount", Decimal("19.9"),
    ),
    (
        "web_order__fulfilment",
        "fulfilment_id,order_id,status,tracking_number,ordered_at,shipped_at\n"
        "O1,O1,shipped,1Z999,2017-03-01 20:00:00,2017-03-02 20:00:00\n",
        "tracking_number_token", TEST_KEY.token("parcel", "1Z999"),
    ),
    (
        "promotion__placement",
        "store_code,product_code,starts_on,display_code,advert_code\n"
        "S1,milk,2017-03-01,9,A\n",
        "display_code || advert_code", "9A",
    ),
    (
        "pos_standard__tax",
        "receipt_id,tax_number,line_number,base_amount,tax_share,tax_amount,sold_at\n"
        "R1,1,3,10.00,0.0825,0.825,2017-03-01 20:00:00\n",
        "tax_amount", Decimal("0.825"),
    ),
    (
        "pos_standard__discount",
        "receipt_id,discount_number,line_number,discount_type,amount,points,sold_at\n"
        "R1,1,,loyalty,0,-200,2017-03-01 20:00:00\n",
        "points", -200,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "delivered", "asked", "answer"), DELIVERIES, ids=[table for table, *_ in DELIVERIES]
)
def test_a_delivery_stands_in_raw_typed_and_protected(
    bench_for: MakeBench, table: str, delivered: str, asked: str, answer: object
) -> None:
    template, record = table.split("__")
    header = delivered.splitlines()[0]
    fields = {column: column for column in header.split(",")}
    bench = bench_for(**feed(template, {record: fields}, header))
    bench.deliver("one.csv", delivered)

    bench.load()

    assert bench.rows("select column_name, error_code from ops.rejects") == []
    assert bench.rows(f"select {asked} from raw.{table}") == [(answer,)]
    everything = repr(bench.rows(f"select * from raw.{table}"))
    assert CARD not in everything
    assert "Jane Doe" not in everything
    assert bench.rows("select domain from vault.personal_value where value = ?", CARD) == []


def test_a_gift_cards_number_is_not_even_in_the_vault(bench_for: MakeBench) -> None:
    # Whoever reads the number can spend the card.
    [delivered] = [one for table, one, *_ in DELIVERIES if table == "prepaid_entry__entry"]
    header, row = delivered.replace(CARD, "GC-7781-0042").splitlines()
    fields = {column: column for column in header.split(",") if column != "card_number"}
    bench = bench_for(**feed("prepaid_entry", {"entry": fields}, header))
    bench.deliver("one.csv", f"{header}\n{row}\n")

    bench.load()

    token = TEST_KEY.token("prepaid_card", "GC-7781-0042")
    assert bench.rows("select account_id_token from raw.prepaid_entry__entry") == [(token,)]
    assert bench.rows("select domain from vault.personal_value") == []

"""Which template the columns of a sender belong to, in three languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.core.declarations import Template, load_templates
from dagster_project.core.home import TEMPLATES
from dagster_project.core.proposing import Proposal, ProposingError, propose

EN = "Receipt No,Line,Store,Till,Cashier,Date,Time,SKU,Qty,Unit Price,Discount,VAT,Currency"
ZH = "小票号,行号,门店编码,收银机号,收银员,日期,时间,商品编码,数量,单价,折扣,税额,币种"
FA = (
    "شماره فیش,ردیف,کد شعبه,شماره صندوق,صندوقدار,"
    "تاریخ,ساعت,کد کالا,تعداد,قیمت واحد,تخفیف,مالیات,ارز"
)
ROW = "R{n},{line},S1,T1,anna,2019-08-0{n},1{n}:30,00{n}7,2,1.25,0.00,0.20,EUR"
ORDERS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n" + "".join(
    f"5{n}6365,8512{n}A,bread,2,2019-08-0{n} 10:00:00,1.25,1785{n}.0\n" for n in range(1, 7)
)


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return load_templates(TEMPLATES)


def proposed(
    tmp_path: Path, templates: dict[str, Template], text: str, template: str | None = None
) -> Proposal:
    path = tmp_path / "sample.csv"
    path.write_text(text, "utf-8")
    return propose([path], templates, feed="sample", template=template)


def till(header: str) -> str:
    rows = [ROW.format(n=n, line=line) for n in range(1, 6) for line in (1, 2)]
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize("header", [EN, ZH, FA], ids=["English", "Chinese", "Persian"])
def test_a_till_is_a_till_in_any_language(
    tmp_path: Path, templates: dict[str, Template], header: str
) -> None:
    found = proposed(tmp_path, templates, till(header))
    names = header.split(",")

    assert (found.template, found.template_yaml) == ("pos_standard", None)
    text = found.feed_yaml
    for field, column in (
        ("receipt_id", names[0]),
        ("line_number", names[1]),
        ("quantity", names[8]),
    ):
        assert f"        {field}: {column}\n" in text or f'        {field}: "{column}"\n' in text
    # A day and a clock in two columns are one moment.
    assert f"{names[5]}\\\" || ' ' || \\\"{names[6]}" in text


def test_web_orders_are_orders_with_their_lines(
    tmp_path: Path, templates: dict[str, Template]
) -> None:
    found = proposed(tmp_path, templates, ORDERS)
    assert found.template == "web_order"
    assert "    order:\n" in found.feed_yaml
    assert "    line:\n" in found.feed_yaml


def test_columns_that_no_template_knows_make_one_of_their_own(
    tmp_path: Path, templates: dict[str, Template]
) -> None:
    rows = "".join(f"P{n},2{n}.5,blue{n}\n" for n in range(1, 6))
    found = proposed(tmp_path, templates, "probe,temperature,glow\n" + rows)
    assert found.template == "sample"
    assert found.template_yaml is not None


def test_a_template_that_lacks_what_it_needs_is_not_forced(
    tmp_path: Path, templates: dict[str, Template]
) -> None:
    with pytest.raises(ProposingError, match="what the template exchange_rate needs"):
        proposed(tmp_path, templates, ORDERS, "exchange_rate")


def test_what_maps_onto_nothing_is_named(tmp_path: Path, templates: dict[str, Template]) -> None:
    lines = till(EN + ",Glow").replace("EUR", "EUR,blue")
    found = proposed(tmp_path, templates, lines)
    assert any("takes" in note.evidence and "Glow" in note.evidence for note in found.open_notes)


def test_the_till_of_the_how_to_maps_all_but_its_payments(
    tmp_path: Path, templates: dict[str, Template]
) -> None:
    header = (
        "Branch;Receipt no;Line;Date;Time;Item no;Description;Qty;Unit price;Amount;Currency;Paid"
    )
    rows = [
        f"007;03000{n};1;{12 + n}/08/19;09:1{n};0400{n};Apples;{q};3,49;{q * 3.49:.2f};EUR;cash"
        for n, q in ((1, 1), (2, -1), (3, 2))
    ]
    text = "\n".join([header, *(row.replace(".", ",") for row in rows)]) + "\n"

    feed = proposed(tmp_path, templates, text).feed_yaml

    for line in ("line_number: Line", "product_code: Item no", "list_amount: Amount"):
        assert f"        {line}\n" in feed
    assert 'decimal_mark: ","' in feed
    assert "< 0 then 'return' else 'sale' end" in feed

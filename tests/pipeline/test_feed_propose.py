"""``tillhouse feed propose`` and ``feed check`` on files of hand-made senders."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.cli import main
from dagster_project.core.declarations import Feed, Template, load_feed, load_templates
from dagster_project.core.home import TEMPLATES

TILL = "Receipt No,Line,Store,Sold At,SKU,Description,Qty,Unit Price,Discount,VAT\n" + "".join(
    f"R{n},{line},S{n % 2},25/08/19 1{n}:30,00{n}7,bread,{line},1.25,0.00,0.20\n"
    for n in range(1, 6)
    for line in (1, 2)
)
CARDS = ["4111111111111111", "5555555555554444", "378282246310005"]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TILLHOUSE_HOME", str(tmp_path / "home"))


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """A command's exit code and its answer as JSON."""
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def written(path: Path) -> tuple[Feed, Template]:
    """A proposed feed read as a load reads it."""
    templates = load_templates(TEMPLATES)
    if (own := path.parent / "templates").is_dir():
        templates |= load_templates(own)
    feed = load_feed(path, templates)
    return feed, templates[feed.template]


def test_a_till_export_becomes_a_feed_onto_the_till_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "export_2019-08.csv"
    sample.write_text(TILL)

    code, told = ask(capsys, "feed", "propose", str(sample), "--out", str(tmp_path))

    assert code == 0
    assert (told["template"], told["check"][0]["accepted_count"]) == ("pos_standard", 10)
    feed, _ = written(tmp_path / "export" / "defs.yaml")
    assert set(feed.records) == {"receipt", "line"}
    line = feed.records["line"].fields
    assert (line["receipt_id"], line["line_number"], line["product_code"]) == (
        "Receipt No", "Line", "SKU",
    )  # fmt: skip
    assert feed.dialect.timestamp_formats == ("%d/%m/%y %H:%M",)
    assert feed.files == "export_*.csv"


def test_what_nobody_can_tell_is_asked_in_the_file_and_on_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "visits.csv"
    sample.write_text("visit,day\n" + "".join(f"V{n},0{n}/08/19\n" for n in range(1, 9)))

    assert main(["feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"]) == 0

    asked = "day-first or month-first cannot be told"
    assert f"decide: day: {asked}" in capsys.readouterr().out
    path = tmp_path / "visits" / "defs.yaml"
    assert f"# decide: {asked}" in path.read_text("utf-8")
    _, template = written(path)
    assert template.records["record"].fields["day"].type == "text"


def test_a_template_that_needs_the_day_reads_it_day_first_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "till.csv"
    sample.write_text(TILL.replace("25/08/19", "03/08/19"))

    code, told = ask(capsys, "feed", "propose", str(sample), "--out", str(tmp_path))

    assert (code, told["template"]) == (0, "pos_standard")
    assert any("DAY FIRST until decided" in one for one in told["decide"])


def test_cards_and_people_are_protected_and_secrets_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "gifts.csv"
    rows = [
        f"G{n},{card},123,Ann Cole,a{n}@example.org,zorb{chr(97 + n)}"
        for n, card in enumerate(CARDS)
    ]
    sample.write_text("\n".join(["id,field,cvv,customer name,contact,thing", *rows]) + "\n")

    code, _ = ask(
        capsys, "feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"
    )

    assert code == 0
    feed, template = written(tmp_path / "gifts" / "defs.yaml")
    fields = template.records["record"].fields
    assert {name: (f.classification.value, f.treatment.value) for name, f in fields.items()} == {
        "id": ("internal", "keep"),
        "field": ("card", "mask"),
        "customer_name": ("personal", "token"),
        "contact": ("personal", "token"),
        "thing": ("sensitive", "scan"),
    }
    assert "cvv" not in feed.columns
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "gifts").rglob("*.yaml"))
    assert not any(card in text for card in CARDS)


def test_a_layout_that_is_known_is_named_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = yaml.safe_load((TEMPLATES.parent / "layouts" / "till_csv.yaml").read_text("utf-8"))
    sample = tmp_path / "shop.csv"
    row = dict.fromkeys(layout["columns"], "")
    row |= {
        "receipt_no": "R1", "receipt_type": "sale", "store": "S1", "closed_at": "2019-08-03 10:00",
        "currency": "EUR", "row_no": "1", "row_type": "sale", "product": "P1", "quantity": "1",
        "list_amount": "2.50",
    }  # fmt: skip
    sample.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")

    code, told = ask(capsys, "feed", "propose", str(sample), "--out", str(tmp_path))

    assert (code, told["layout"]) == (0, "till_csv")
    proposed = yaml.safe_load((tmp_path / "shop" / "defs.yaml").read_text("utf-8"))["attributes"]
    assert "columns" not in proposed


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl", "json", "xlsx", "parquet"])
def test_every_kind_of_file_is_read_by_what_it_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    rows = [{"Order": f"A{n}", "Amount": f"{n}.75", "Day": f"2019-08-1{n}"} for n in range(1, 6)]
    sample = tmp_path / f"orders.{ending}"
    write_as(sample, ending, rows)

    code, told = ask(
        capsys, "feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"
    )

    assert (code, told["check"][0]["accepted_count"]) == (0, 5)
    feed, template = written(tmp_path / "orders" / "defs.yaml")
    assert feed.format == ending.removesuffix(".gz")
    kinds = {name: one.type.value for name, one in template.records["record"].fields.items()}
    assert kinds == {"order_value": "text", "amount": "money", "day": "date"}


def write_as(path: Path, ending: str, rows: list[dict[str, str]]) -> None:
    """The rows in a format."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    if ending == "csv.gz":
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
    elif ending == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif ending == "json":
        path.write_text(json.dumps({"found": {"orders": rows}, "count": 5}))
    elif ending == "parquet":
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        from openpyxl import Workbook

        book = Workbook()
        for line in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(line)
        book.save(path)


def test_a_feed_that_is_not_installed_is_checked_on_several_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "visits.csv"
    sample.write_text("visit,day\n" + "".join(f"V{n},2019-08-1{n}\n" for n in range(1, 6)))
    ask(capsys, "feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new")
    later = tmp_path / "visits_later.csv"
    later.write_text("visit,day\nV7,2019-09-01\nV8,never\n")

    code, told = ask(
        capsys, "feed", "check", str(tmp_path / "visits" / "defs.yaml"), str(sample), str(later)
    )

    assert code == 1
    assert [one["rejected_count"] for one in told] == [0, 1]
    assert told[1]["reject_reasons"] == [["bad_date", 1]]


def test_a_sample_with_many_bad_records_gets_a_threshold_that_lets_the_others_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "visits.csv"
    good = [f'V{n},"2019-08-1{n}",shop' for n in range(1, 9)]
    sample.write_text("\n".join(["visit,day,place", *good[:4], "V9,shop", *good[4:]]) + "\n")

    code, told = ask(
        capsys, "feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"
    )

    assert (code, told["check"][0]["reason"]) == (1, None)
    assert (told["check"][0]["accepted_count"], told["check"][0]["rejected_count"]) == (8, 1)
    feed, _ = written(tmp_path / "visits" / "defs.yaml")
    assert 1 / 9 < feed.arrival.reject_threshold < 0.2


def test_a_few_other_values_are_told_where_they_keep_a_column_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "bills.csv"
    paid = [f"{n}.50" for n in range(1, 10)]
    rows = [f"B{n},{text}" for n, text in enumerate([*paid, "131.77(returned 89.84)"])]
    sample.write_text("\n".join(["bill no,paid", *rows]) + "\n")

    _, told = ask(
        capsys, "feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"
    )

    assert "paid: 9 of 10 values are numbers: stays text for the others" in told["decide"]


def test_what_was_proposed_before_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "visits.csv"
    sample.write_text("visit,day\nV1,2019-08-11\n")
    words = ["feed", "propose", str(sample), "--out", str(tmp_path), "--template", "new"]
    assert main(words) == 0
    mine = tmp_path / "visits" / "defs.yaml"
    mine.write_text("mine")

    assert main(words) == 2
    assert "exists already" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_an_empty_sample_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = tmp_path / "empty.csv"
    sample.touch()

    assert main(["feed", "propose", str(sample), "--out", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err
        == "tillhouse: empty.csv is empty: nothing can be proposed from it\n"
    )

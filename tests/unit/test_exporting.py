"""A published table as a file: text that a spreadsheet would run is text, a number is a number."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from sales_warehouse import build_sales_warehouse, manifest_for

from dagster_project.cli import main
from dagster_project.core.audit_log import verify
from dagster_project.core.exporting import ExportError, export_table, exportable
from dagster_project.core.keys import load_master_key
from dagster_project.core.publishing import publish

DANGEROUS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\rx",
    "\nx",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "﹦1",
    "  =cmd",
    "\u200b=1+1",
    '=HYPERLINK("http://x.example")',
]
HARMLESS = ["a=b", "1-2", "o'clock", "", "李", "a\tb", "ann@shop.example"]


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A file with one table of every kind of cell."""
    path = tmp_path / "analyst.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(
            "create schema core; create table core.cells (place integer, said varchar, "
            "amount decimal(18, 4), share double, key bigint, sum hugeint, tags varchar[], "
            "sold_at timestamptz, day date, is_open boolean)"
        )
        for place, said in enumerate([*DANGEROUS, *HARMLESS, None]):
            connection.execute(
                "insert into core.cells values (?, ?, -1.5, -0.25, -7, 12, ['=x', 'y'], "
                "'2017-01-05 10:00:00+00', '2017-01-05', true)",
                [place, said],
            )
    return path


def expected() -> list[str]:
    return [f"'{text}" for text in DANGEROUS] + HARMLESS


def test_a_csv_holds_texts_that_nothing_runs_and_numbers(published: Path, tmp_path: Path) -> None:
    done = export_table(published, "core.cells", tmp_path / "cells.csv")
    with done.path.open(encoding="utf-8", newline="") as handle:
        head, *rows = csv.reader(handle)
    assert (head[:3], done.row_count) == (["place", "said", "amount"], 23)
    assert [row[1] for row in rows] == [*expected(), ""]
    assert {tuple(row[2:6]) for row in rows} == {("-1.5000", "-0.25", "-7", "12")}
    assert {row[6] for row in rows} == {"['=x', y]"}


def test_a_sheet_holds_no_formula_and_numbers_are_numbers(published: Path, tmp_path: Path) -> None:
    export_table(published, "core.cells", tmp_path / "cells.xlsx")
    rows = list(openpyxl.load_workbook(tmp_path / "cells.xlsx").active.rows)[1:]
    assert "f" not in {cell.data_type for row in rows for cell in row}
    assert {cell.data_type for row in rows for cell in row[2:6]} == {"n"}
    # XML reads a return as a newline, and no text as none.
    assert [row[1].value or "" for row in rows] == [
        *(text.replace("\r", "\n") for text in expected()),
        "",
    ]
    assert {tuple(cell.value for cell in row[2:6]) for row in rows} == {(-1.5, -0.25, -7, 12)}


def test_a_key_too_long_for_a_sheets_numbers_keeps_its_digits(tmp_path: Path) -> None:
    path = tmp_path / "analyst.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table keys as select 9007199254740993 as key")
    export_table(path, "main.keys", tmp_path / "keys.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "keys.xlsx").active["A2"]
    assert cell.value == "9007199254740993"


def test_parquet_keeps_every_value_as_it_is(published: Path, tmp_path: Path) -> None:
    export_table(published, "core.cells", tmp_path / "cells.parquet")
    with duckdb.connect() as engine:
        rows = engine.execute(
            f"select said, amount, sum from '{tmp_path / 'cells.parquet'}' order by place"
        ).fetchall()
    assert [said for said, *_ in rows] == [*DANGEROUS, *HARMLESS, None]
    assert {tuple(row[1:]) for row in rows} == {(Decimal("-1.5"), Decimal(12))}


@pytest.mark.parametrize(
    ("table", "name", "words"),
    [
        ("core.nothing", "a.csv", "there is no core.nothing"),
        ("cells", "a.csv", "there is no cells"),
        ('core.cells" union select 1 --', "a.csv", "there is no"),
        ("core.cells", "a.xls", "must end in .csv"),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(
    published: Path, tmp_path: Path, table: str, name: str, words: str
) -> None:
    with pytest.raises(ExportError, match=words):
        export_table(published, table, tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"analyst.duckdb"}


def test_the_command_exports_and_the_audit_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TILLHOUSE_KEY", raising=False)
    monkeypatch.setenv("TILLHOUSE_HOME", str(tmp_path / "home"))
    warehouse = build_sales_warehouse(tmp_path / "home", days=4)
    path = publish(warehouse, "analyst", manifest_for(), run_id="r").path
    assert "metrics.sales_by_month" in exportable(path)

    code = main(["export", "metrics.sales_by_month", "--to", str(tmp_path / "m.csv"), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert (code, told["file"], told["rows"]) == (0, "m.csv", 3)
    log = (warehouse.home.private / "audit.jsonl").read_text()
    assert '"export"' in log.splitlines()[-1]
    assert verify(warehouse.home, load_master_key(warehouse.home)).is_good
    assert main(["export", "--to", str(tmp_path / "m.csv")]) == 2
    assert "name a table" in capsys.readouterr().err


def test_the_connection_that_is_printed_opens_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TILLHOUSE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TILLHOUSE_KEY", raising=False)
    assert main(["connection"]) == 2
    assert "run tillhouse refresh" in capsys.readouterr().err
    warehouse = build_sales_warehouse(tmp_path / "home", days=4)
    publish(warehouse, "analyst", manifest_for(), run_id="r")
    assert main(["connection", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    with duckdb.connect(told["path"], **told["engine_parameters"]["connect_args"]) as connection:
        with pytest.raises(duckdb.PermissionException):
            connection.execute("from glob('/etc/*')")
        assert connection.execute("select 1 from core.dim_store limit 1").fetchall() == [(1,)]

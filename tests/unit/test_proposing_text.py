"""From bytes to a table: encodings, delimiters, quotes, headers, preambles, footers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dagster_project.core.declarations import Dialect
from dagster_project.core.proposing import ProposingError
from dagster_project.core.proposing.dialects import find_dialect
from dagster_project.core.proposing.opening import find_encoding, open_sample
from dagster_project.core.proposing.tables import Table, find_table

ZH = "日期,商品名称,数量\n2019-08-03,鲜牛奶一升装,2\n2019-08-04,全麦面包切片,1\n"
ZH_HANT = "日期,商品名稱,數量\n2019-08-03,鮮牛奶一公升,2\n2019-08-04,全麥麵包切片,1\n"
FA = "تاریخ,کالا,تعداد\n2019-08-03,شیر کم چرب,2\n2019-08-04,نان سنگک,1\n2019-08-05,آب سیب,3\n"
FR = "date,article,quantité\n2019-08-03,café crème,2\n2019-08-04,pâté à l’ancienne,1\n"
ROWS = "".join(f'R{n},{n}.50,2019-08-{n:02},"shop {n % 3}"\n' for n in range(1, 13))
HEADER = "receipt,amount,day,shop\n"


def table(text: str) -> Table:
    content = text.encode()
    return find_table(content, find_dialect(content).dialect)


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        pytest.param(ZH, "utf-8", "utf-8", id="UTF-8"),
        pytest.param(ZH, "utf-8-sig", "utf-8", id="UTF-8 with a mark"),
        pytest.param(ZH, "utf-16", "utf-16", id="UTF-16 with a mark"),
        pytest.param(HEADER + ROWS, "utf-16-le", "utf-16-le", id="UTF-16 without"),
        pytest.param(ZH, "gb18030", "gb18030", id="simplified Chinese"),
        pytest.param(ZH_HANT, "big5", "big5", id="traditional Chinese"),
        pytest.param(FA.replace("ی", "ي"), "windows-1256", "windows-1256", id="Persian"),
        pytest.param(FR, "windows-1252", "windows-1252", id="French"),
    ],
)
def test_the_encoding_is_what_the_bytes_speak_for(text: str, encoding: str, found: str) -> None:
    assert find_encoding(text.encode(encoding)).name == found


@pytest.mark.parametrize(
    ("delimiter", "quote", "escape"),
    [
        (",", '"', None), (";", '"', None), ("\t", '"', None), ("|", '"', None), ("||", '"', None),
        (", ", '"', None), ("@@", '"', None), ("^", '"', None), (",", "'", None), (";", "'", None),
        (",", '"', "\\"),
    ],
)  # fmt: skip
def test_delimiter_quote_and_escape_are_found(
    delimiter: str, quote: str, escape: str | None
) -> None:
    mark = (escape or quote) + quote
    lines = [["id", "text", "price", "note"]]
    for number in range(1, 9):
        text = f"{quote}size {number}{mark}, {delimiter} or so{quote}"
        lines.append([f"A{number}", text, f"{number}.25", "none"])
    content = "\n".join(delimiter.join(line) for line in lines).encode()

    found = find_dialect(content).dialect

    assert (found.delimiter, found.quote, found.escape) == (delimiter, quote, escape)


def test_double_quotes_that_only_come_in_pairs_between_single_ones_escape_each_other() -> None:
    lines = ["id,text,price", *(f"A{n},'size {n}\"\", or so',{n}.25" for n in range(1, 9))]
    found = find_dialect("\n".join(lines).encode()).dialect
    assert (found.quote, found.escape) == ("'", '"')


def test_a_plain_header_has_no_preamble_and_no_footer() -> None:
    found = table(HEADER + ROWS)
    assert found.names == ("receipt", "amount", "day", "shop")
    assert (found.dialect.header, found.dialect.preamble_lines, found.dialect.footer_lines) == (
        True, 0, 0,
    )  # fmt: skip
    assert len(found.rows) == 12


@pytest.mark.parametrize(
    ("text", "header", "lines", "around", "rows"),
    [
        pytest.param(ROWS, False, 1, (0, 0), 12, id="no header"),
        pytest.param(HEADER * 2 + ROWS, True, 2, (0, 0), 12, id="the header twice"),
        pytest.param(
            "Export of shop 7\nprinted 2019-09-01\n\n" + HEADER + ROWS, True, 1, (3, 0), 12,
            id="lines before",
        ),
        pytest.param("Export,,,\n,,,\n" + HEADER + ROWS, True, 1, (2, 0), 12, id="padded before"),
        pytest.param(HEADER + ROWS + "Total,78.00,,\n", True, 1, (0, 1), 12, id="a total behind"),
        pytest.param(HEADER + ROWS + "\nend of file\n", True, 1, (0, 2), 12, id="a line behind"),
        pytest.param(
            HEADER + ROWS + "tender,amount\n" + "cash,1\n" * 4, True, 1, (0, 5), 12,
            id="another table of fewer columns",
        ),
        pytest.param(HEADER + ROWS + HEADER + ROWS, True, 1, (0, 13), 12, id="the same again"),
        pytest.param(HEADER, True, 1, (0, 0), 0, id="nothing but a header"),
        pytest.param(HEADER + "R1,1.50,2019-08-01,shop\n", True, 1, (0, 0), 1, id="one record"),
    ],
)  # fmt: skip
def test_the_table_is_told_from_what_stands_around_it(
    text: str, header: bool, lines: int, around: tuple[int, int], rows: int
) -> None:
    found = table(text)
    dialect = found.dialect
    assert (dialect.header, dialect.header_lines) == (header, lines)
    assert (dialect.preamble_lines, dialect.footer_lines) == around
    assert len(found.rows) == rows


@pytest.mark.parametrize(
    "damaged",
    ["R99,1.50,2019-08-09,,shop\n", "R99,1.502019-08-09,shop\n", 'R99,"1.50,2019-08-09,shop\n'],
    ids=["a cell more", "a cell less", "a quote that never closes"],
)
@pytest.mark.parametrize("last", [True, False])
def test_a_damaged_record_is_no_footer(damaged: str, last: bool) -> None:
    found = table(HEADER + (ROWS + damaged if last else damaged + ROWS))
    assert (found.dialect.preamble_lines, found.dialect.footer_lines) == (0, 0)
    assert (len(found.rows), found.broken) == (12, 1)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (",receipt,amount,day,shop\n", ("receipt", "amount", "day", "shop")),
        ("receipt;amount;day;shop\n", ("receipt", "amount", "day", "shop")),
        ('"receipt,amount,day,shop\n', ('"receipt', "amount", "day", "shop")),
        ("receipt,amount,day\n", ("receipt", "amount", "day", "column_4")),
    ],
    ids=["a delimiter too many", "another delimiter", "a stray quote", "a name too few"],
)
def test_a_damaged_header_gives_its_names_by_place(header: str, names: tuple[str, ...]) -> None:
    found = table(header + ROWS)
    assert found.names == names
    assert (found.dialect.header, found.dialect.preamble_lines) == (False, 1)
    assert len(found.rows) == 12


def test_quotes_that_never_stand_around_a_cell_are_signs_like_any_other() -> None:
    found = table(HEADER + 'R1,1.50,2019-08-01,5" pipe\nR2,"2.50,2019-08-02,shop\n' * 4)
    assert found.dialect.quote is None
    assert found.rows[1][1] == '"2.50'


def test_names_that_stand_twice_are_taken_by_place() -> None:
    found = table("receipt,amount,day,amount\n" + ROWS)
    assert found.names == ("receipt", "amount", "day", "amount_2")
    assert found.dialect.header is False


def test_one_column_is_a_table_too() -> None:
    found = table("sku\nA-1\nA-2\nA-3\n")
    assert (found.names, found.rows) == (("sku",), (["A-1"], ["A-2"], ["A-3"]))
    assert found.dialect.delimiter == Dialect().delimiter


def test_a_packed_sample_is_unpacked_and_an_empty_one_refused(tmp_path: Path) -> None:
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress((HEADER + ROWS).encode()))
    opened = open_sample(packed)
    assert (opened.packing, opened.content) == ("gzip", (HEADER + ROWS).encode())

    empty = tmp_path / "empty.csv"
    empty.touch()
    with pytest.raises(ProposingError, match=r"empty[.]csv is empty"):
        open_sample(empty)

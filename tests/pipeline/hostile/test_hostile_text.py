"""Bad text files: bytes, encodings, line ends, quotes, columns; each with its stated outcome."""

from __future__ import annotations

import pytest

from tests.conftest import Bench
from tests.pipeline.hostile.cases import (
    GOOD,
    HEADER,
    ONE,
    THREE,
    TWO,
    Case,
    Outcome,
    deliver,
    judge,
)

BOM = b"\xef\xbb\xbf"
BAD = "R9,x,tea,1,1,2017-03-01\n"
WIDE = ",".join(f"w{n}" for n in range(10_000))
MIB = 1 << 20
NO_HEADER = "no header or first record can be read"
MISSING = "column missing: bon, pos, sku, qty, amount, at"
BOTH = ("milk", "tea")
LONG_TEXT = "x" * (MIB + 1)

BYTES = {
    "empty": Case(b"", held="the file is empty"),
    "only a byte order mark": Case(BOM, held=NO_HEADER),
    "only a newline": Case(b"\n", held=NO_HEADER),
    "only blank lines": Case(b"\r\n\n\r\n", held=NO_HEADER),
    "only a header": Case(HEADER),
    "only a header without newline": Case(HEADER.rstrip()),
    "NUL in a cell": Case(HEADER + ONE.replace("milk", "mi\0lk"), 1, products=("mi\0lk",)),
    "nothing but NUL": Case(b"\0" * 64, held=MISSING),
    "UTF-16 with a mark": Case(GOOD.decode().encode("utf-16"), held=NO_HEADER),
    "UTF-16 without a mark": Case(GOOD.decode().encode("utf-16-le"), held=MISSING),
    "another encoding": Case(
        HEADER.encode() + ONE.replace("milk", "牛奶").encode("gb18030") + THREE.encode(),
        1, ((2, "R1,1,", None, "bad_encoding"),), products=("bread",),
    ),
    "two encodings in one file": Case(
        HEADER.encode() + ONE.replace("milk", "牛奶").encode()
        + TWO.replace("tea", "茶叶").encode("gb18030"),
        1, ((3, "R1,2,", None, "bad_encoding"),), products=("牛奶",),
    ),
    "overlong UTF-8": Case(
        HEADER.encode() + ONE.encode().replace(b"milk", b"mi\xc0\xaflk") + THREE.encode(),
        1, ((2, "R1,1,", None, "bad_encoding"),),
    ),
    "a surrogate in UTF-8": Case(
        HEADER.encode() + ONE.encode().replace(b"milk", b"mi\xed\xa0\x80lk") + THREE.encode(),
        1, ((2, "R1,1,", None, "bad_encoding"),),
    ),
    "a mark within the text": Case(
        HEADER + ONE.replace("milk", "\ufeffmilk") + TWO, 2, products=("\ufeffmilk", "tea")
    ),
    "a mark twice": Case(BOM + BOM + GOOD, 2, products=BOTH),
}  # fmt: skip
LINE_ENDS = {
    "CRLF": Case(GOOD.replace(b"\n", b"\r\n"), 2, products=BOTH),
    "lone CR": Case(GOOD.replace(b"\n", b"\r"), 2, products=BOTH),
    "line ends mixed": Case(HEADER + ONE.replace("\n", "\r\n") + TWO + THREE.replace("\n", "\r"),
                            3, products=(*BOTH, "bread")),
    "CR CR LF": Case(GOOD.replace(b"\n", b"\r\r\n"), 2, products=BOTH),
    "no last newline": Case(GOOD.rstrip(), 2, products=BOTH),
    "blank lines between": Case(HEADER + "\n" + ONE + "\n\n" + BAD + "\n", 1,
                                ((6, "R9,", "line_number", "bad_integer"),)),
    "a lone CR in a cell": Case(
        HEADER + ONE.replace("milk", "mi\rlk") + TWO + THREE, 2,
        ((2, "R1,1,", None, "ragged_row"), (3, "lk,", None, "ragged_row")),
        products=("tea", "bread"),
    ),
    "a form feed and a vertical tab": Case(
        HEADER + ONE.replace("milk", "mi\flk\v") + TWO, 2, products=("mi\flk\v", "tea")
    ),
    "Unicode's own line ends": Case(
        HEADER + ONE.replace("milk", "a\u2028b\u2029c\x85d") + TWO, 2,
        products=("a\u2028b\u2029c\x85d", "tea"),
    ),
}  # fmt: skip
QUOTES = {
    "a stray quote": Case(HEADER + 'R9,1,"milk,1,1,2017-03-01\n' + ONE + TWO, 2,
                          ((2, "R9,", None, "unterminated_quote"),), products=BOTH),
    "a quote never closed, in the last line": Case(
        HEADER + ONE + 'R9,1,"milk,1,1,2017-03-01\n', 1,
        ((3, "R9,", None, "unterminated_quote"),), products=("milk",),
    ),
    "a quote never closed, without newline": Case(
        HEADER + ONE + 'R9,1,"mi', 1, ((3, "R9,", None, "truncated_record"),), products=("milk",)
    ),
    "quotes doubled": Case(HEADER + ONE.replace("milk", '"the ""best"" milk"'), 1,
                           products=('the "best" milk',)),
    "a quote in a cell that is not quoted": Case(
        HEADER + ONE.replace("milk", 'milk 5" can') + TWO, 2, products=('milk 5" can', "tea")
    ),
    "two quotes in cells that are not quoted": Case(
        HEADER + ONE.replace("milk", 'milk 5" can') + TWO.replace("tea", 'tea 3" bag'), 2,
        products=('milk 5" can', 'tea 3" bag'),
    ),
    "text behind a closing quote": Case(HEADER + ONE.replace("milk", '"mi"lk') + TWO, 1,
                                        ((2, "R1,1,", None, "stray_quote"),), products=("tea",)),
    "a blank before the quote": Case(
        HEADER + ONE.replace("milk", ' "milk"') + TWO, 2, products=(' "milk"', "tea")
    ),
    "newlines within quotes": Case(
        HEADER + ONE.replace("milk", '"oat\r\nmilk\n"') + BAD + TWO, 2,
        ((5, "R9,", "line_number", "bad_integer"),), products=("oat\r\nmilk\n", "tea"),
    ),
    "a delimiter within quotes": Case(HEADER + ONE.replace("milk", '"milk, fresh"'), 1,
                                      products=("milk, fresh",)),
    "a blank behind the quote": Case(
        HEADER + ONE.replace("milk", '"milk" ') + TWO, 1,
        ((2, "R1,1,", None, "stray_quote"),), products=("tea",),
    ),
    "blanks before a quote that holds a delimiter": Case(
        HEADER + ONE.replace("milk", '  "milk, fresh"') + TWO, 1,
        ((2, "R1,1,", None, "stray_quote"),), products=("tea",),
    ),
    "an empty quoted cell": Case(HEADER + ONE.replace("milk", '""') + TWO, 2,
                                 products=(None, "tea")),
    "a backslash before a quote": Case(
        HEADER + ONE.replace("milk", '"mi\\"lk"') + TWO, 1,
        ((2, "R1,1,", None, "stray_quote"),), products=("tea",),
    ),
    "single quotes": Case(HEADER + ONE.replace("milk", "'milk'"), 1, products=("'milk'",)),
    "typographic quotes": Case(HEADER + ONE.replace("milk", "“milk”"), 1, products=("“milk”",)),
}  # fmt: skip
COLUMNS = {
    "a row too short": Case(HEADER + ONE + "R9,1,tea\n" + THREE, 2,
                            ((3, "R9,", None, "ragged_row"),)),
    "a row too long": Case(HEADER + ONE + "R9,1,tea,1,1,2017-03-01,\n" + THREE, 2,
                           ((3, "R9,", None, "ragged_row"),)),
    "a row of delimiters": Case(HEADER + ONE + ",,,,,\n", 1,
                                ((3, ",,,,,", "receipt_id", "missing"),)),
    "cut off within the last row": Case(HEADER + ONE + "R9,1,te", 1,
                                        ((3, "R9,", None, "truncated_record"),)),
    "a column twice": Case(HEADER.replace("qty", "amount") + ONE,
                           held="column missing: qty"),
    "a known column twice": Case("bon," + HEADER + "R1," + ONE, held="column found twice: bon"),
    "an unknown column twice": Case("x,x," + HEADER + "a,b," + ONE, 1, products=("milk",)),
    "a header in capitals": Case(HEADER.upper() + ONE, held=MISSING),
    "blanks around names": Case(HEADER.replace(",", " , ") + ONE, 1, products=("milk",)),
    "a mark before the header": Case(BOM + GOOD, 2, products=BOTH),
    "a column missing": Case("bon,pos,sku,qty,at\nR1,1,a,1,2017\n", held="column missing: amount"),
    "columns in another order": Case(
        "at,bon,amount,qty,sku,pos\n2017-03-01,R1,3.50,2,milk,1\n", 1, products=("milk",)
    ),
    "the header again in the middle": Case(
        HEADER + ONE + HEADER + TWO, 2,
        ((3, "bon,pos", "line_number", "bad_integer"),), products=BOTH,
    ),
    "another delimiter from the middle on": Case(
        HEADER + ONE + TWO + THREE.replace(",", ";"), 2,
        ((4, "R2;", None, "ragged_row"),),
    ),
    "another delimiter": Case(GOOD.replace(b",", b";"), held=MISSING),
    "two rows for the header": Case("Till,,,,,\n" + HEADER + ONE, held=MISSING),
    "ten thousand columns": Case(
        f"{HEADER.rstrip()},{WIDE}\n{ONE.rstrip()},{WIDE}\n", 1, products=("milk",)
    ),
    "a cell of more than a mebibyte": Case(
        HEADER + ONE + f"R9,1,{LONG_TEXT},1,1,2017-03-01\n" + TWO, 2,
        ((3, "R9,", None, "field_too_long"),), products=BOTH,
    ),
    "a quoted cell of more than a mebibyte": Case(
        HEADER + ONE + f'R9,1,"{LONG_TEXT}",1,1,2017-03-01\n' + TWO, 2,
        ((3, "R9,", None, "unterminated_quote"),), products=BOTH,
    ),
    "a record of more than four mebibytes": Case(
        HEADER + ONE + "R9,1,tea" + ",y" * (2 * MIB + 9) + "\n" + TWO, 2,
        ((3, "R9,", None, "ragged_row"),), products=BOTH,
    ),
    "an HTML error page": Case("<html><body>502 Bad Gateway</body></html>\n", held=MISSING),
    "a header and a mebibyte without newline": Case(
        HEADER + "z" * (5 * MIB), refused=1,
        held="1 of 1 records rejected, more than 50%",
        rejects=((2, "z" * (5 * MIB), None, "ragged_row"),),
    ),
}  # fmt: skip
CASES = BYTES | LINE_ENDS | QUOTES | COLUMNS


@pytest.fixture(scope="module")
def outcomes(module_till: Bench) -> dict[str, Outcome]:
    return deliver(module_till, CASES)


@pytest.mark.parametrize("title", CASES)
def test_a_bad_text_file_ends_as_stated(outcomes: dict[str, Outcome], title: str) -> None:
    judge(CASES[title], outcomes[title], list(CASES).index(title))

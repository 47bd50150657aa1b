"""What a feed's mapping makes of its rows."""

from __future__ import annotations

import pytest

from dagster_project.core.feeds import LoadError, waiting_files
from tests.pipeline.till_lines import HEADER, LINES, ONE, THREE, TWO, MakeBench, counts, rejects


def test_a_receipt_repeated_on_its_lines_is_one_receipt(bench_for: MakeBench) -> None:
    receipt = {
        "receipt_id": "bon",
        "receipt_type": "'sale'",
        "store_code": "'1'",
        "sold_at": "at",
        "currency_code": "'EUR'",
    }
    records = {"receipt": {"fields": receipt}, **LINES["records"]}
    till = bench_for(**LINES | {"records": records})
    till.deliver("a.csv", HEADER + ONE + TWO + THREE)
    assert counts(till) == (3, 3, 0, 0)
    assert till.rows("select receipt_id from raw.pos_standard__receipt order by 1") == [
        ("R1",), ("R2",)
    ]  # fmt: skip
    assert till.rows("select count(*) from raw.pos_standard__line") == [(3,)]


def test_a_record_with_one_bad_output_is_withheld_whole(bench_for: MakeBench) -> None:
    receipt = {
        "receipt_id": "bon",
        "receipt_type": "'sale'",
        "store_code": "'1'",
        "sold_at": "at",
        "currency_code": "'EUR'",
    }
    records = {"receipt": {"fields": receipt}, **LINES["records"]}
    till = bench_for(**LINES | {"records": records})
    till.deliver("a.csv", HEADER + ONE + "R2,1,tea,many,1,2017-03-01\n")
    assert counts(till) == (2, 1, 1, 0)
    assert till.rows("select receipt_id from raw.pos_standard__receipt") == [("R1",)]


def test_rows_of_no_mapped_kind_are_rejected_and_ignored_ones_do_not_count(
    bench_for: MakeBench,
) -> None:
    line = {"where": "sku != 'SUM' and sku != '?'", **LINES["records"]["line"]}
    till = bench_for(**LINES | {"records": {"line": line}, "ignore_where": "sku = 'SUM'"})
    till.deliver("a.csv", HEADER + ONE + "R1,,SUM,,3.50,\n" + "R1,9,?,1,1,2017-03-01\n")
    assert counts(till) == (2, 1, 1, 0)
    assert [row[0] for row in rejects(till)] == [3]
    assert rejects(till)[0][5] == "unmapped"


def test_a_window_in_a_mapping_sees_its_own_file_only(bench_for: MakeBench) -> None:
    fields = LINES["records"]["line"]["fields"] | {
        "line_number": "row_number() over (partition by bon order by _record)"
    }
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("a.csv", HEADER + "R1,,a,1,1,2017-03-01\nR1,,b,1,1,2017-03-01\n")
    till.deliver("b.csv", HEADER + "R2,,c,1,1,2017-03-01\nR1,,d,1,1,2017-03-02\n")
    assert counts(till) == (4, 4, 0, 0)
    assert till.rows("select product_code, line_number from raw.pos_standard__line order by 1") == [
        ("a", 1), ("b", 2), ("c", 1), ("d", 1)
    ]  # fmt: skip


def test_a_mapping_that_cannot_be_computed_holds_back_only_the_file_it_fails_on(
    bench_for: MakeBench,
) -> None:
    fields = LINES["records"]["line"]["fields"] | {"quantity": "cast(qty as integer)"}
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("bad.csv", HEADER + "R1,1,a,4111x,1,2017-03-01\n")
    till.deliver("good.csv", HEADER + THREE)
    outcome = till.load()
    reason = "the feed's mapping cannot be computed (ConversionException)"
    assert outcome.quarantined == (("bad.csv", reason),)
    assert outcome.loaded_count == 1


def test_a_mapping_that_is_no_sql_stops_the_load_and_keeps_the_files(bench_for: MakeBench) -> None:
    fields = LINES["records"]["line"]["fields"] | {"quantity": "qty +"}
    till = bench_for(**LINES | {"records": {"line": {"fields": fields}}})
    till.deliver("a.csv", HEADER + ONE)
    with pytest.raises(LoadError, match=r"feed till_lines: Parser Error"):
        till.load()
    assert [path.name for path in waiting_files(till.warehouse.home, till.feed)] == ["a.csv"]

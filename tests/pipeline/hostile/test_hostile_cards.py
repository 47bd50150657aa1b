"""Card numbers wherever a sender can put them: none comes through in the clear."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from dagster_project.core.declarations import load_templates
from dagster_project.core.feeds import FeedOutcome
from dagster_project.core.feeds.cards import is_card_number, mask_code, mask_text
from dagster_project.core.home import TEMPLATES
from tests.conftest import Bench
from tests.pipeline.hostile.poison import (
    CARD,
    DISGUISES,
    files_with_the_card,
    poisonable,
    poisoned_feed,
    poisoned_file,
    tables_with_the_card,
)
from tests.pipeline.till_lines import HEADER, LINES, ONE, TWO

MakeBench = Callable[..., Bench]
RECORDS = {
    "pos_standard": ("receipt", "line", "tender"),
    "web_order": ("order",),
    "member": ("member",),
    "post": ("post",),
}


@pytest.mark.parametrize("text", DISGUISES.values(), ids=DISGUISES)
def test_a_card_number_is_found_in_every_disguise(text: str) -> None:
    for masked, found in (mask_text(text)[:2], mask_code(text)):
        assert found == 1
        assert len(masked) == len(text)
        # Sixteen digits of which the six in the middle are gone.
        assert masked.count("*") == 6


HARMLESS = {
    "an article number of 13 digits": "4006381333931",
    "a number of 19 digits": "4173829104738201930",
    "a UUID of digits": "12345678-4111-1111-1111-111111111111",
    "a hash": f"ab{CARD}cdef",
    "a shop, a day and a number": "4111-11111111-1111",
    "a wrong check digit": "4111 1111 1111 1112",
    "no scheme": "1111 1111 1111 1117",
    "a trade number of 28 digits": "4200001234" + CARD + "12",
    "E.164": "+989121234567",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_a_code_that_is_no_card_number_stays_as_it_is(text: str) -> None:
    assert mask_code(text) == (text, 0)


@pytest.fixture(scope="module")
def poisoned(module_bench_for: MakeBench) -> tuple[Bench, dict[tuple[str, str], FeedOutcome]]:
    """A warehouse that took every poisoned file, and what each load said."""
    outcomes = {}
    for template, names in RECORDS.items():
        declared = load_templates(TEMPLATES)[template]
        for name in names:
            bench = module_bench_for(**poisoned_feed(declared, name))
            bench.deliver(f"till {CARD}.csv", poisoned_file(declared.records[name]))
            bench.deliver("4111-1111-1111-1111.csv.gz", b"\x1f\x8b not one")
            outcomes[template, name] = bench.load()
    return bench, outcomes


@pytest.mark.slow
def test_a_poisoned_feed_leaves_no_card_number_in_any_column(
    poisoned: tuple[Bench, dict[tuple[str, str], FeedOutcome]],
) -> None:
    bench, outcomes = poisoned
    for (template, name), outcome in outcomes.items():
        record = load_templates(TEMPLATES)[template].records[name]
        rows = len(poisonable(record)) * len(DISGUISES)
        assert outcome.physical_count == rows
        assert outcome.loaded_count + outcome.rejected_count + outcome.duplicate_count == rows
        assert outcome.loaded_count > rows / 3
        assert CARD not in str(outcome).replace("-", "")
    assert tables_with_the_card(bench.warehouse) == []
    assert files_with_the_card(bench.warehouse.home.root) == []


def test_the_search_finds_a_number_that_is_there(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"own_numbers": ["receipt_id"]})
    till.deliver("a.csv", HEADER + ONE.replace("R1", DISGUISES["Persian"]))
    till.load()
    assert tables_with_the_card(till.warehouse) == [("raw.pos_standard__line", "receipt_id", 1)]


def test_a_kept_text_is_masked_and_said_so(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE.replace("milk", "4111 1111 1111 1111") + TWO)
    assert till.load().loaded_count == 2
    assert till.rows("select product_code from raw.pos_standard__line order by line_number") == [
        ("4111 11** **** 1111",), ("tea",)
    ]  # fmt: skip
    assert till.rows("select severity, message from ops.alarm") == [
        (
            "warning",
            "card numbers stood in product_code: they were masked, "
            "or their records rejected where it is a key or a figure",
        )
    ]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        pytest.param(ONE.replace("R1", CARD), "receipt_id", id="a key"),
        pytest.param(ONE.replace(",1,", f",{CARD},"), "line_number", id="a figure"),
        pytest.param(ONE.replace("R1", " ".join(CARD)), "receipt_id", id="a key, spaced"),
    ],
)
def test_a_card_number_as_key_or_figure_rejects_the_record(
    bench_for: MakeBench, row: str, column: str
) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + row + TWO)
    outcome = till.load()
    assert (outcome.loaded_count, outcome.rejected_count) == (1, 1)
    assert till.rows(
        "select first_line, byte_offset, column_name, error_code from ops.rejects"
    ) == [(2, len(HEADER), column, "card_number")]
    ((raw,),) = till.rows("select raw_record from ops.rejects")
    assert "*" in json.loads(raw)["bon" if column == "receipt_id" else "pos"]
    assert tables_with_the_card(till.warehouse) == []


def test_numbers_that_the_feed_calls_its_own_stay_as_they_are(bench_for: MakeBench) -> None:
    till = bench_for(**LINES | {"own_numbers": ["receipt_id"]})
    till.deliver("a.csv", HEADER + ONE.replace("R1", CARD))
    assert till.load().loaded_count == 1
    assert till.rows("select receipt_id from raw.pos_standard__line") == [(CARD,)]


def test_order_numbers_of_nineteen_digits_survive_though_some_pass_the_check(
    bench_for: MakeBench,
) -> None:
    numbers = [str(4_173_829_104_738_201_900 + n) for n in range(100)]
    assert sum(map(is_card_number, numbers)) == 10
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + "".join(ONE.replace("R1", number) for number in numbers))
    assert till.load().loaded_count == 100
    assert till.rows("select receipt_id from raw.pos_standard__line order by 1") == [
        (number,) for number in sorted(numbers)
    ]


def test_a_name_with_a_card_number_has_its_own_token_and_a_mask_in_the_vault(
    bench_for: MakeBench,
) -> None:
    template = load_templates(TEMPLATES)["member"]
    names = [f"Ann {CARD}", "Ann 4111111210111111"]
    header = "member_number,updated_at,name"
    club = bench_for(
        **poisoned_feed(template, "member")
        | {
            "columns": dict.fromkeys(header.split(","), ()),
            "records": {"member": {"fields": {name: name for name in header.split(",")}}},
        }
    )
    rows = "".join(f"M{n},2017-03-01,{name}\n" for n, name in enumerate(names))
    club.deliver("a.csv", f"{header}\n{rows}")
    assert club.load().loaded_count == 2
    tokens = {club.warehouse.key.token("person_name", name) for name in names}
    assert set(club.rows("select name_token from raw.member__member")) == {
        (token,) for token in tokens
    }
    assert sorted(club.rows(
        "select value from vault.personal_value where domain = 'person_name'"
    )) == [("Ann 411111******1111",), ("Ann 411111******1111",)]  # fmt: skip

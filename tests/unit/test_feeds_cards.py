"""Card numbers are found in any script and spelling, and long numbers that are none are left."""

from __future__ import annotations

import random

import duckdb
import pytest

from dagster_project.core.feeds.cards import (
    CANDIDATE,
    LOOSE_CANDIDATE,
    LOOSELY_SUSPICIOUS,
    SECRET_COLUMN,
    SUSPICIOUS,
    is_card_number,
    mask_digits,
    mask_text,
    passes_luhn,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        pytest.param("4111111111111111", "411111******1111", id="plain"),
        pytest.param("card 4111 1111 1111 1111 ok", "card 4111 11** **** 1111 ok", id="spaces"),
        pytest.param("4111-1111-1111-1111", "4111-11**-****-1111", id="dashes"),
        pytest.param("۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", "۴۱۱۱۱۱******۱۱۱۱", id="Persian digits"),
        pytest.param(
            "４１１１１１１１１１１１１１１１", "４１１１１１******１１１１", id="full width"
        ),
        pytest.param("378282246310005", "378282*****0005", id="American Express"),
        pytest.param("6037991234567893", "603799******7893", id="Iranian bank"),
        pytest.param(
            "on 2017-01-05 4111111111111111 paid", "on 2017-01-05 411111******1111 paid",
            id="beside a date",
        ),
        pytest.param("4111111111111112", "4111111111111112", id="wrong check digit"),
        pytest.param("order 20170105000123", "order 20170105000123", id="an order number"),
        pytest.param("call 0086 138 0013 8000", "call 0086 138 0013 8000", id="a phone"),
    ],
)  # fmt: skip
def test_only_card_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_text(text)[0] == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("cvv 123", "cvv ***"),
        ("CVC2: 0123", "CVC2: ****"),
        (";4111111111111111=22011010000?", "*" * 30),
        ("%B4111111111111111^DOE/JO^2201?", "*" * 31),
    ],
)
def test_verification_values_and_tracks_are_secrets(text: str, masked: str) -> None:
    assert mask_text(text) == (masked, 0, True)


def test_luhn_is_the_worked_example_of_the_standard() -> None:
    # 7992739871 doubled from the right: 7+9+9+4+7+6+9+7+7+2 = 67, so the check digit is 3.
    assert passes_luhn("79927398713")
    assert not passes_luhn("79927398710")


def test_false_alarms_stay_under_one_in_a_hundred_long_numbers() -> None:
    chance = random.Random(7)
    numbers = [
        str(chance.randrange(10 ** (length - 1), 10**length))
        for length in range(13, 20)
        for _ in range(5000)
    ]
    alarms = sum(is_card_number(number) for number in numbers)
    assert alarms / len(numbers) <= 0.01


@pytest.mark.parametrize(
    ("digits", "masked"),
    [("4111111111111111", "411111******1111"), ("12345678", "****5678"), ("123", "***")],
)
def test_a_mask_never_shows_more_than_six_and_four(digits: str, masked: str) -> None:
    assert mask_digits(digits) == masked


@pytest.mark.parametrize(
    "name", ["cvv", "CVV2", "card_cvv", "track2", "Track 1 data", "pin_block", "PIN"]
)
def test_columns_of_card_secrets_are_known_by_name(name: str) -> None:
    assert SECRET_COLUMN.search(name)


@pytest.mark.parametrize(
    "name", ["spinach", "shipping", "tracking_number", "pincode_area", "cvved"]
)
def test_other_columns_are_not_taken_for_secrets(name: str) -> None:
    assert not SECRET_COLUMN.search(name)


# What signs a text is made of here: every script's digits, letters of three, what stands between.
SIGNS = "0123456789۰۱۴④²４１ -–/.:;=^%\n\u200fcvCVbaſ2مй号个"
WORDS = ("cvv ", "CSC2: ", "%b", ";", "^", "=", "4111111111111111", "۴۱۱۱", "1111 ")


@pytest.mark.parametrize(
    ("exact", "loose"),
    [
        pytest.param(CANDIDATE, LOOSE_CANDIDATE, id="cards"),
        pytest.param(SUSPICIOUS, LOOSELY_SUSPICIOUS, id="cards and secrets"),
    ],
)
def test_whatever_a_pattern_finds_its_loose_one_finds(exact: str, loose: str) -> None:
    chance = random.Random(1)
    made = [
        "".join(
            chance.choice(WORDS) if chance.random() < 0.2 else chance.choice(SIGNS)
            for _ in range(chance.randint(1, 30))
        )
        for _ in range(20_000)
    ]
    with duckdb.connect() as engine:
        found, missed, more = engine.execute(
            "select count(*) filter (e), count(*) filter (e and not l), count(*) filter (l) "
            "from (select regexp_matches(t, $exact) as e, regexp_matches(t, $loose) as l "
            "from (select unnest($texts) as t))",
            {"exact": exact, "loose": loose, "texts": made},
        ).fetchone()
    assert (found > 1000, missed, more < len(made)) == (True, 0, True)

"""Real reviews in three scripts and lists of members by feed YAML alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_files import Deliver, Query


def test_chinese_reviews_lose_the_mark_that_stands_in_their_text(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("reviews_zh", data / "reviews_zh" / "online_shopping_10_cats.zip")

    assert (outcome.physical_count, outcome.rejected_count) == (62_774, 0)
    ((categories, marked, books),) = query(
        """
        select count(distinct category), count(*) filter (where contains(text, chr(65279))),
            count(*) filter (where category = '书籍' and sentiment_label = 'positive')
        from raw.post__post
        """
    )
    assert (categories, marked, books) == (10, 0, 2_100)


def test_persian_reviews_are_one_post_a_side_that_is_judged(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("reviews_fa", data / "reviews_fa" / "movie_train.jsonl")

    assert (outcome.physical_count, outcome.loaded_count) == (2_872, 2_872)
    # 359 reviews, eight sides each; -3 says that a side is not spoken of.
    counts = query(
        "select count(distinct parent_post_id), count(distinct aspect), "
        "count(*) filter (where sentiment_label = 'not mentioned') from raw.post__post"
    )
    assert counts == [(359, 8, 2_126)]


def test_english_reviews_have_no_text_where_the_export_says_nan(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("reviews_en", data / "reviews_en" / "googleplaystore_user_reviews.csv.zip")

    assert (outcome.physical_count, outcome.loaded_count) == (64_295, 64_295)
    labels = dict(query("select sentiment_label, count(*) from raw.post__post group by 1"))
    assert labels == {"positive": 23_998, "negative": 8_271, "neutral": 5_163, None: 26_863}
    assert query("select count(*) from raw.post__post where text = 'nan'") == [(0,)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # members, dates of birth that are none, different postcodes that begin with 0
        pytest.param("dataset1.csv", (1_000, 3, 2), id="a thousand"),
        pytest.param("dataset2.csv", (5_000, 10, 18), id="five thousand"),
    ],
)
def test_australian_members_keep_the_zeros_of_their_postcodes(
    name: str, expected: tuple[int, int, int], deliver: Deliver, query: Query, data: Path
) -> None:
    members, bad_dates, postcodes = expected
    outcome = deliver("febrl_members", data / "identity_febrl" / name)

    assert (outcome.physical_count, outcome.loaded_count) == (members, members)
    assert query("select count(*) from raw.member__member") == [(members,)]
    # A date that is none is left out, and told; its member is there.
    assert query("select count(*) from ops.rejects where error_code = 'bad_date'") == [(bad_dates,)]
    kept = (
        "select count(*) from vault.personal_value "
        "where domain = 'postcode' and value like '0%' and length(value) = 4"
    )
    assert query(kept) == [(postcodes,)]
    spaced = "select count(*) from vault.personal_value where value != trim(value)"
    assert query(spaced) == [(0,)]


def test_british_members_come_with_all_their_twins(
    deliver: Deliver, query: Query, data: Path
) -> None:
    outcome = deliver("splink_members", data / "splink_fake" / "fake_1000.csv")

    assert (outcome.physical_count, outcome.loaded_count) == (1_000, 1_000)
    counts = "select count(birth_date_decade), count(email_token) from raw.member__member"
    assert query(counts) == [(1_000, 789)]

"""One spelling of names, contacts and numbers for comparing."""

from __future__ import annotations

import pytest

from dagster_project.core.identity import normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("Ada Thornley", ("ada", "thornley"), id="family last"),
        pytest.param("Thornley, Ada", ("ada", "thornley"), id="family before a comma"),
        pytest.param("Dr. Zoë O'Dell", ("zoe", "odell"), id="title, accent, apostrophe"),
        pytest.param("ＡＤＡ　ＱＵＩＬＬ", ("ada", "quill"), id="full width"),
        pytest.param("علي كريمی", ("علی", "کریمی"), id="Arabic ye and kaf"),
        pytest.param("علی\u200cکریمی", ("علی", "کریمی"), id="joined without a space"),
        pytest.param("Cher", (None, "cher"), id="one word"),
        pytest.param("王建国", ("jianguo", "wang"), id="read in pinyin"),
        pytest.param("欧阳雪梅", ("xuemei", "ouyang"), id="surname of two characters"),
        pytest.param("王 建国", ("jianguo", "wang"), id="with a space"),
        pytest.param("  ", (None, None), id="nothing"),
    ],
)
def test_a_name_is_split_into_given_and_family(text, expected):
    assert normalise.split_name(text) == expected


@pytest.mark.parametrize(
    ("surname", "reading"),
    [("单", "shan"), ("曾", "zeng"), ("解", "xie"), ("仇", "qiu"), ("区", "ou"), ("乐", "yue"),
     ("朴", "piao")],
)  # fmt: skip
def test_a_surname_is_read_unlike_its_character(surname, reading):
    assert normalise.split_name(f"{surname}明") == ("ming", reading)


def test_the_readings_of_characters_follow_their_order():
    # ICU sorts characters by their pinyin: a wrong reading stands out of order. Five have another
    # reading first (ceng, cha, di, dū, zhang) than the one they have in names.
    import duckdb

    characters = normalise._readings()[1]
    with duckdb.connect() as connection:
        connection.execute("load icu")
        ordered = [
            row[0]
            for row in connection.execute(
                "select c from (select unnest($characters) as c) order by c collate zh",
                {"characters": sorted(set(characters) - set("曾查翟都长"))},
            ).fetchall()
        ]
    syllables = [characters[one].replace("ü", "u") for one in ordered]
    astray = [
        (one, syllable)
        for one, syllable, before in zip(ordered[1:], syllables[1:], syllables, strict=False)
        if syllable < before
    ]
    assert astray == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("محمدی", "Mohammadi"), ("شریفی", "Sharifi"), ("قاسمی", "Ghasemi"), ("کاوه", "Kaveh"),
     ("Ann", "Anne"), ("Philip", "Filip")],
)  # fmt: skip
def test_what_sounds_the_same_is_the_same(one, other):
    heard = normalise.sound(normalise.fold(one))
    assert heard == normalise.sound(normalise.fold(other)) is not None


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        pytest.param("07700 900123", "GB", "+447700900123", id="national"),
        pytest.param("０７７００ ９００１２３", "GB", "+447700900123", id="full-width digits"),
        pytest.param("۰۹۱۲ ۳۴۵ ۶۷۸۹", "IR", "+989123456789", id="Persian digits"),
        pytest.param("٠٩١٢٣٤٥٦٧٨٩", "IR", "+989123456789", id="Arabic digits"),
        pytest.param("+86 138 0013 8000", None, "+8613800138000", id="with its prefix"),
        pytest.param("12-34", None, "1234", id="no number of any country"),
        pytest.param("ask", None, None, id="no digits"),
    ],
)
def test_a_phone_is_one_number_however_it_is_written(text, country, expected):
    assert normalise.phone_of(text, country) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(" A.B+shop@GMail.com", "ab@gmail.com", id="dots and tags"),
        pytest.param("ab@googlemail.com", "ab@gmail.com", id="two names of one provider"),
        pytest.param("a.b+x@post.example", "a.b@post.example", id="dots that matter"),
        pytest.param("nobody", None, id="no address"),
        pytest.param("@post.example", None, id="nobody at a provider"),
    ],
)
def test_an_address_is_compared_without_what_means_nothing(text, expected):
    assert normalise.email_of(text) == expected


def test_an_address_of_a_house_is_the_same_in_any_order():
    assert normalise.words_of("12 Mill Lane") == normalise.words_of("Mill Lane, 12")

"""What senders call files and columns, and what is kept of a rejected record, names nobody."""

from __future__ import annotations

import pytest

from dagster_project.core.feeds.naming import column_name, file_name, free_text
from dagster_project.core.feeds.rejects import shape


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("orders ann.lee@shop.example 4.csv", "orders ******************** 4.csv"),
        ("chat +86 139-1234-5678.jsonl", "chat *****************.jsonl"),
        ("chat_13912345678.csv", "chat_***********.csv"),
        ("۰۹۱۲۱۲۳۴۵۶۷.csv", "***********.csv"),
        ("till 4111-1111-1111-1111.csv", "till 4111-11**-****-1111.csv"),
        ("receipts-2017-01-05T10-00-00.csv", "receipts-2017-01-05T10-00-00.csv"),
        ("receipts_20170105100000.csv", "receipts_20170105100000.csv"),
        ("export_1483610400.csv", "export_1483610400.csv"),
        ("a@b", "a@b"),
    ],
)
def test_a_files_name_is_told_without_cards_and_contacts(name: str, told: str) -> None:
    assert file_name(name) == told


def test_a_column_named_after_somebody_is_told_without_the_contact() -> None:
    assert column_name("mail\nann@shop.example") == "mail ****************"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("mail me: ann@shop.example!", "mail me: ****************!"),
        ("/login?email=ann@shop.example&x=1", "/login?email=****************&x=1"),
        ("/login?email=ann%40shop.example", "/login?email=******************"),
        ("call 13912345678.", "call ***********."),
        ("call +44 7400 123456", "call ***************"),
        ("@alice likes a@b", "@alice likes a@b"),
        ("/p/15912345678", "/p/15912345678"),
        ("order no-13912345678", "order no-13912345678"),
        ("bought 2 for 3.50 on 2017-01-05", "bought 2 for 3.50 on 2017-01-05"),
    ],
)
def test_free_text_is_kept_without_contacts(text: str, kept: str) -> None:
    assert free_text(text) == (kept, 0, False)


@pytest.mark.parametrize(
    ("text", "of_text", "of_figure"),
    [
        ("31/02/2017", "99/99/9999", "31/02/2017"),
        ("4.x", "9.x", "4.x"),
        ("Ann Lee 37", "Xxx Xxx 99", "Xxx Xxx 37"),
        ("李小明", "xxx", "xxx"),
        ("+447400123456", "+999999999999", "+999999999999"),
        ("۰۹۱۲", "9999", "۰۹۱۲"),
    ],
)
def test_a_rejected_value_is_kept_as_its_shape(text: str, of_text: str, of_figure: str) -> None:
    assert shape(text, keeps_digits=False) == of_text
    assert shape(text, keeps_digits=True) == of_figure

"""Personal and card values: tokens, masks, vault, alarms; nothing in the clear anywhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dagster_project.core.warehouse import Warehouse
from tests.conftest import Bench

MakeBench = Callable[..., Bench]
MEMBERS: dict[str, Any] = {
    "feed": "club",
    "description": "Members.",
    "sender": "club",
    "template": "member",
    "owner": "test",
    "format": "csv",
    "country": "CN",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.5},
    "columns": {"no": [], "since": [], "mobile": [], "mail": [], "who": [], "born": [], "card": []},
    "records": {
        "member": {
            "fields": {
                "member_number": "no",
                "updated_at": "since",
                "phone": "mobile",
                "email": "mail",
                "name": "who",
                "birth_date": "born",
                "card_number": "card",
            }
        }
    },
}
POSTS: dict[str, Any] = {
    "feed": "posts",
    "description": "Posts.",
    "sender": "social",
    "template": "post",
    "owner": "test",
    "format": "jsonl",
    "files": "*.jsonl",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.9},
    "columns": {"id": ["post_id"], "site": [], "at": [], "who": [], "body": [], "stars": []},
    "records": {
        "post": {
            "fields": {
                "post_id": "id",
                "platform": "site",
                "posted_at": "at",
                "author_handle": "who",
                "text": "body",
                "rating": "stars",
            }
        }
    },
}
HEADER = "no,since,mobile,mail,who,born,card\n"


def member(number: int, **given: str) -> str:
    row = {"mobile": "", "mail": "", "who": "", "born": "", "card": ""} | given
    return f"{number},2017-01-01," + ",".join(row.values()) + "\n"


def post(number: int, text: str) -> str:
    row = {"id": f"P{number}", "site": "weibo", "at": "2017-01-01", "who": "x", "body": text}
    return json.dumps(row, ensure_ascii=False) + "\n"


def everything(warehouse: Warehouse, *, but: tuple[str, ...] = ()) -> str:
    """Every value of every table, as one text."""
    with warehouse.connect(read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'warehouse'"
        ).fetchall()
        return "\n".join(
            str(connection.execute(f"select * from {name}").fetchall())
            for (name,) in tables
            if name not in but
        )


@pytest.mark.parametrize(
    ("country", "spellings", "e164"),
    [
        ("CN", ["13800138000", "+86 138-0013-8000", "00861380013 8000"], "+8613800138000"),
        ("CN", ["１３８００１３８０００", "13800138000"], "+8613800138000"),
        ("IR", ["09121234567", "۰۹۱۲ ۱۲۳ ۴۵۶۷", "٠٩١٢١٢٣٤٥٦٧"], "+989121234567"),
        ("GB", ["+98 912 123 4567"], "+989121234567"),
        ("GB", ["07400 123456", "+44 (0)7400 123456", "00447400123456"], "+447400123456"),
        ("US", ["(202) 555-0143", "1-202-555-0143", "+1 202.555.0143"], "+12025550143"),
        ("CN", ["021 6123 4567", "+86 21 6123 4567"], "+862161234567"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_phone_has_one_token(
    bench_for: MakeBench, country: str, spellings: list[str], e164: str
) -> None:
    club = bench_for(**MEMBERS | {"country": country})
    rows = "".join(member(n, mobile=text) for n, text in enumerate(spellings))
    club.deliver("a.csv", HEADER + rows)
    assert club.load().loaded_count == len(spellings)
    token = club.warehouse.key.token("phone", e164)
    assert club.rows("select distinct phone_token from raw.member__member") == [(token,)]
    assert club.rows("select value from vault.personal_value where domain = 'phone'") == [(e164,)]


@pytest.mark.parametrize(
    ("spellings", "normal"),
    [
        (["Jo.Doe+news@GMail.com", "jodoe@googlemail.com"], "jodoe@gmail.com"),
        (["A.B+x@outlook.com", "a.b@Outlook.com"], "a.b@outlook.com"),
        (["A.B+x@Shop.example"], "a.b+x@shop.example"),
    ],
)
def test_every_spelling_of_an_email_has_one_token(
    bench_for: MakeBench, spellings: list[str], normal: str
) -> None:
    club = bench_for(**MEMBERS)
    rows = "".join(member(n, mail=text) for n, text in enumerate(spellings))
    club.deliver("a.csv", HEADER + rows)
    club.load()
    token = club.warehouse.key.token("email", normal)
    assert club.rows("select distinct email_token from raw.member__member") == [(token,)]


def test_a_number_that_is_no_phone_keeps_its_text_and_stops_nobody(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    club.deliver("a.csv", HEADER + member(1, mobile="n/a") + member(2))
    assert club.load().loaded_count == 2
    assert club.rows("select value from vault.personal_value where domain = 'phone'") == [("n/a",)]
    assert club.rows("select count(*) from raw.member__member where phone_token is null") == [(1,)]


def test_a_name_in_full_width_is_the_same_name(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    club.deliver("a.csv", HEADER + member(1, who="Ａｎｎ Ｌｅｅ") + member(2, who=" Ann Lee "))
    club.load()
    token = club.warehouse.key.token("person_name", "Ann Lee")
    assert club.rows("select distinct name_token from raw.member__member") == [(token,)]


def test_a_card_is_a_token_and_a_mask_and_never_in_the_vault(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    cards = ["4111 1111 1111 1111", "۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", "4111111111111112", "411111******1111"]
    rows = "".join(member(n, card=text) for n, text in enumerate(cards))
    club.deliver("a.csv", HEADER + rows)
    club.load()
    key = club.warehouse.key
    one, wrong = key.token("card", "4111111111111111"), key.token("card", "4111111111111112")
    assert club.rows(
        "select card_number_token, card_number_masked from raw.member__member "
        "order by _record_number"
    ) == [
        (one, "411111******1111"),
        (one, "411111******1111"),
        (wrong, "411111******1112"),
        (None, "411111******1111"),
    ]
    assert "4111111111111111" not in everything(club.warehouse)


def test_a_birth_date_is_kept_as_a_decade(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    club.deliver("a.csv", HEADER + member(1, born="1987-05-04"))
    club.load()
    assert club.rows("select birth_date_decade from raw.member__member") == [(1980,)]


def test_clear_values_are_in_the_vault_alone(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    canary = {"mobile": "13800138000", "mail": "canary@shop.example", "who": "Canary Zhang"}
    club.deliver("a.csv", HEADER + member(1, **canary) + member(2, **canary, born="never"))
    outcome = club.load()
    assert outcome.reject_reasons == (("bad_date", 1),)
    rest = everything(club.warehouse, but=("vault.personal_value",))
    for value in ("13800138000", "canary@shop.example", "Canary"):
        assert value not in rest
    assert club.rows("select raw_record from ops.rejects") == [('{"since": "2017-01-01"}',)]


def test_a_row_whose_cells_stand_one_column_too_far_shows_no_person(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    # The name stands where the time of the last change should, the phone where the number should.
    club.deliver("a.csv", HEADER + "13800138000,Ann Lee,2017-01-01,,,,\n" + member(2))
    assert club.load().reject_reasons == (("bad_timestamp", 1),)
    assert club.rows("select raw_record from ops.rejects") == [('{"since": "Xxx Xxx"}',)]


def test_a_verification_value_in_a_wrong_column_is_not_kept(bench_for: MakeBench) -> None:
    fields = {
        "receipt_id": "bon",
        "tender_number": "n",
        "tender_type_code": "'card_chip'",
        "amount": "paid",
        "currency_code": "'CNY'",
        "card_cvv": "code",
        "sold_at": "at",
    }
    tenders = bench_for(
        **MEMBERS
        | {
            "feed": "tenders",
            "template": "pos_standard",
            "columns": {"bon": [], "n": [], "paid": [], "code": [], "at": []},
            "records": {"tender": {"fields": fields}},
        }
    )
    tenders.deliver("a.csv", "bon,n,paid,code,at\nR1,1,5,,2017-01-01\nR2,1,5,2017-01-01,737\n")
    assert tenders.load().reject_reasons == (("bad_timestamp", 1),)
    ((raw,),) = tenders.rows("select raw_record from ops.rejects")
    assert json.loads(raw) == {"bon": "X9", "n": "9", "paid": "9", "at": "999"}


def test_values_of_a_rejected_row_do_not_reach_the_vault(bench_for: MakeBench) -> None:
    club = bench_for(**MEMBERS)
    club.deliver("a.csv", HEADER + member(1, who="Ann") + member(2, who="Bob", born="never"))
    club.load()
    assert club.rows("select value from vault.personal_value where domain = 'person_name'") == [
        ("Ann",)
    ]


def test_a_card_in_free_text_is_masked_whatever_its_digits(bench_for: MakeBench) -> None:
    posts = bench_for(**POSTS)
    texts = ["paid with 4111-1111-1111-1111 !", "کارت ۶۰۳۷۹۹۱۲۳۴۵۶۷۸۹۳ بود", "order 12345678901234"]
    posts.deliver("a.jsonl", "".join(post(n, text) for n, text in enumerate(texts)))
    assert posts.load().loaded_count == 3
    assert posts.rows("select text from raw.post__post order by post_id") == [
        ("paid with 4111-11**-****-1111 !",), ("کارت ۶۰۳۷۹۹******۷۸۹۳ بود",), (texts[2],)
    ]  # fmt: skip
    assert posts.rows("select message from ops.alarm") == [("2 card numbers in text were masked",)]


def test_a_file_with_verification_values_is_loaded_without_them_and_not_kept(
    bench_for: MakeBench,
) -> None:
    tenders = bench_for(
        **MEMBERS
        | {
            "feed": "tenders",
            "template": "pos_standard",
            "columns": {"bon": [], "n": [], "paid": [], "card": [], "code": []},
            "records": {
                "tender": {
                    "fields": {
                        "receipt_id": "bon",
                        "tender_number": "n",
                        "tender_type_code": "'card_chip'",
                        "amount": "paid",
                        "currency_code": "'CNY'",
                        "card_number": "card",
                        "card_cvv": "code",
                        "sold_at": "'2017-01-01'",
                    }
                }
            },
        }
    )
    header = "bon,n,paid,card,code\n"
    tenders.deliver("with.csv", header + "R1,1,5,4111111111111111,737\n")
    tenders.deliver("without.csv", header + "R2,1,5,4111111111111111,\n")
    assert tenders.load().loaded_count == 2
    assert tenders.rows("select severity, message from ops.alarm") == [
        (
            "critical",
            "with.csv: card verification, track or PIN data arrived; "
            "it was dropped and the original is not kept",
        )
    ]
    kept = {path.stem for path in tenders.warehouse.home.store.rglob("*.enc")}
    stored = tenders.rows("select file_id from ops.file_ledger where original_name = 'without.csv'")
    assert kept == {stored[0][0]}
    assert "'737'" not in everything(tenders.warehouse)


BAD_LINES = {
    "not JSON": ("{'id': 1}", "bad_json"),
    "a list": ("[1, 2]", "not_an_object"),
    "a comma too many": ('{"id": "P9",}', "bad_json"),
    "not a number": ('{"id": NaN}', "bad_json"),
    "two objects": ('{"id": "P9"}{"id": "P8"}', "bad_json"),
    "a required key missing": ('{"id": "P9", "site": "x"}', "missing"),
}


@pytest.mark.parametrize(("line", "code"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_json_line_is_rejected_and_the_others_load(
    bench_for: MakeBench, line: str, code: str
) -> None:
    posts = bench_for(**POSTS)
    posts.deliver("a.jsonl", post(1, "fine") + line + "\n\n" + post(2, "fine too"))
    outcome = posts.load()
    assert (outcome.physical_count, outcome.loaded_count) == (3, 2)
    assert outcome.reject_reasons == ((code, 1),)
    assert posts.rows("select record_number, first_line from ops.rejects") == [(2, 2)]


def test_an_aliased_key_and_an_unknown_one(bench_for: MakeBench) -> None:
    posts = bench_for(**POSTS)
    row = {"post_id": "P1", "site": "x", "at": "2017-01-01", "mood": "good", "stars": 4.5}
    posts.deliver("a.jsonl", json.dumps(row))
    assert posts.load().loaded_count == 1
    assert posts.rows("select post_id, rating from raw.post__post") == [("P1", 4.5)]
    assert posts.rows("select message from ops.alarm") == [("unknown columns were left out: mood",)]


def test_parquet_comes_in_typed_and_a_file_that_is_none_is_held_back(bench_for: MakeBench) -> None:
    import duckdb

    posts = bench_for(**POSTS | {"format": "parquet", "files": "*.parquet"})
    with duckdb.connect() as engine:
        engine.execute(
            "copy (select 'P1' as id, 'x' as site, timestamp '2017-01-01 08:00' as at, 'a' as who, "
            f"'hi' as body, 3.5 as stars) to '{posts.landing / 'a.parquet'}'"
        )
    posts.deliver("b.parquet", b"PAR1 not really")
    outcome = posts.load()
    assert outcome.loaded_count == 1
    assert [name for name, _ in outcome.quarantined] == ["b.parquet"]
    assert outcome.quarantined[0][1].startswith("not a readable Parquet file")
    assert posts.rows("select epoch(posted_at), rating from raw.post__post") == [(1483257600, 3.5)]

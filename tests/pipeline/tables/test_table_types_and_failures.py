"""Types of a sender's table, and servers and declarations that do not fit."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.components.feed import feed_asset
from dagster_project.components.writer import WriterResource
from dagster_project.core.declarations import Feed
from dagster_project.core.feeds import LoadError, load, waiting_files
from dagster_project.core.home import HOME_VARIABLE
from dagster_project.core.keys import KEY_VARIABLE
from tests.conftest import TEST_KEY, Bench
from tests.pipeline.tables.members_club import (
    NOTHING,
    PASSWORD,
    VARIABLE,
    Club,
    KilledError,
    MakeBench,
    counts,
    documented_feed,
    kill,
    secrets_found,
    with_source,
)

TIERS = {
    "feed": "tiers",
    "description": "Members of another sender, in files.",
    "sender": "other",
    "template": "member",
    "owner": "test",
    "format": "csv",
    "arrival": {"complete_by": "rename"},
    "columns": {"no": [], "at": [], "tier": []},
    "records": {"member": {"fields": {"member_number": "no", "updated_at": "at", "tier": "tier"}}},
}
TYPES = {
    "feed": "club_types",
    "description": "One column of every kind of type.",
    "sender": "club",
    "template": "member",
    "owner": "test",
    "format": "table",
    "source": {"dsn_variable": VARIABLE, "table": "club.kinds", "cursor": "at", "key": ["id"]},
    "time_zone": "Asia/Shanghai",
    "columns": {
        name: []
        for name in ("id", "at", "local", "num", "bin", "doc", "list", "none", "is_deleted",
                     "seen_at")
    },
    "records": {"member": {"fields": {"member_number": "id", "updated_at": "at"}}},
}  # fmt: skip


def test_every_type_arrives_as_the_text_that_the_how_to_names(
    bench_for: MakeBench, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.run(
        "create table club.kinds (id numeric(19), at timestamptz, local timestamp, "
        "num numeric(12, 4), bin bytea, doc jsonb, list text[], none date)"
    )
    club.run("grant select on club.kinds to tillhouse")
    club.run(
        "insert into club.kinds values (9007199254740993001, '2024-05-01 18:00:00.5+08', "
        "'2024-05-01 18:00', 12.5000, '\\x00ff', '{\"名\": [1]}', '{a,NULL,\"b,c\"}', null)"
    )
    bench = bench_for(**TYPES)
    with monkeypatch.context() as patch:
        patch.setattr(load, "prepare", kill)
        with pytest.raises(KilledError):
            bench.load()

    [path] = waiting_files(bench.warehouse.home, bench.feed)
    [row] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert {name: text for name, text in row.items() if text is not None} == {
        "id": "9007199254740993001",
        "at": "2024-05-01 10:00:00.5+00",
        "local": "2024-05-01 18:00:00",
        "num": "12.5000",
        "bin": "00ff",
        "doc": '{"名": [1]}',
        "list": '["a",null,"b,c"]',
    }


def test_a_number_that_grows_is_a_cursor_and_two_columns_are_a_key(
    bench_for: MakeBench, club: Club
) -> None:
    club.run("create table club.numbered (shop text, no int, version bigint, at timestamptz)")
    club.run("grant select on club.numbered to tillhouse")
    club.run("insert into club.numbered values ('a', 1, 7, now()), ('b', 1, 9, now())")
    source = TYPES["source"] | {"table": "club.numbered", "cursor": "version"}
    names = ("shop", "no", "version", "at", "is_deleted", "seen_at")
    fields = {"member_number": "shop || no", "updated_at": 'coalesce(seen_at, "at")'}
    bench = bench_for(
        **TYPES
        | {
            "source": source | {"key": ["shop", "no"]},
            "columns": {name: [] for name in names},
            "records": {"member": {"fields": fields}},
        }
    )
    assert counts(bench.load()) == (2, 2, 0, 0)
    club.run("insert into club.numbered values ('a', 2, 8, now())")
    club.run("update club.numbered set version = 10, at = now() where shop = 'b'")
    assert counts(bench.load()) == (2, 2, 0, 0)
    club.run("delete from club.numbered where shop = 'a' and no = 1")
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


def test_a_column_more_in_the_feed_reads_every_row_again(
    bench: Bench, bench_for: MakeBench, club: Club
) -> None:
    club.add(1, "10:00", "gold")
    club.add(2, "23:00", "silver")
    club.run("alter table club.member add column town text")
    club.run("update club.member set town = 'Wuxi'")
    bench.load()
    wider = documented_feed()
    wider["columns"] |= {"town": []}
    wider["records"]["member"]["fields"] |= {"city": "town"}
    second = bench_for(**wider)

    assert counts(second.load()) == (2, 2, 0, 0)
    assert second.rows("select city, count(*) from raw.member__member group by 1 order by 1") == [
        ("Wuxi", 2),
        (None, 2),
    ]
    assert counts(second.load()) == NOTHING


def test_a_column_that_the_feed_does_not_list_stays_on_the_server_and_is_named(
    bench: Bench, club: Club
) -> None:
    club.add(1, "10:00", "gold", password_hint="the first dog")
    bench.load()

    assert bench.rows("select message from ops.alarm") == [
        ("unknown columns were left out: password_hint",)
    ]
    assert secrets_found(bench, "the first dog") == []


def refused(bench: Bench) -> str:
    with pytest.raises(LoadError) as caught:
        bench.load()
    # What is printed of an exception: its own words and those of what led to it.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message
    assert bench.rows("select message from ops.alarm")[-1:] == [(message,)]
    return message


def test_neither_password_nor_address_is_found_anywhere_after_good_and_bad_loads(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    club.add(1, "10:00", "gold")
    bench.load()
    monkeypatch.setenv(VARIABLE, club.dsn + "-wrong")
    assert refused(bench).endswith("it refuses the user or the password")

    host = f"host={club.admin.info.host}"
    assert bench.rows("select count(*) from raw.member__member") == [(1,)]
    assert secrets_found(bench, PASSWORD) == secrets_found(bench, host) == []
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize(
    ("dsn", "reason"),
    [
        pytest.param("", "CLUB_DSN, the connection string, is not set", id="not set"),
        pytest.param("host=/nowhere user=x password=corn-flower-7391", "nobody listens", id="down"),
        pytest.param("corn-flower-7391", "it cannot be reached", id="no connection string"),
    ],
)
def test_a_server_that_cannot_be_reached_is_one_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, dsn: str, reason: str
) -> None:
    monkeypatch.setenv(VARIABLE, dsn)
    assert reason in refused(bench)


def test_other_feeds_load_and_the_run_goes_on_while_the_server_is_down(
    bench: Bench, bench_for: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "host=/nowhere user=x")
    monkeypatch.setenv(HOME_VARIABLE, str(bench.warehouse.home.root))
    monkeypatch.setenv(KEY_VARIABLE, TEST_KEY.secret.hex())
    tiers = bench_for(**TIERS)
    tiers.deliver("a.csv", "no,at,tier\n7,2024-05-01,gold\n")
    feeds = [feed_asset(one.feed, one.template) for one in (bench, tiers)]
    after = dg.AssetSpec("after", deps=[one.key for one in feeds])

    @dg.multi_asset(specs=[after])
    def go_on() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [*feeds, go_on], resources={"writer": WriterResource()}, instance=instance
        )
    told = {
        event.asset_key.path[-1]: event.materialization.metadata
        for event in result.get_asset_materialization_events()
    }
    assert result.success
    assert told["club_members"]["held_back"].value == [
        "club.member: feed club_members: no connection to the server of CLUB_DSN: "
        "nobody listens there"
    ]
    assert told["tiers"]["loaded"].value == 1


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"table": "club.members"}, "no table club.members", id="no such table"),
        pytest.param({"table": "pg_catalog.pg_authid"}, "has no column", id="another table"),
        pytest.param({"cursor": "tier"}, "the cursor tier is neither", id="a text as cursor"),
        pytest.param({"key": ["tier"]}, "tier is no key of club.member: 1 repeats", id="no key"),
        pytest.param({"key": ["phone"]}, "phone is no key of club.member", id="an empty key"),
    ],
)
def test_a_source_that_does_not_fit_the_table_is_one_line(
    bench_for: MakeBench, club: Club, changed: dict[str, Any], reason: str
) -> None:
    club.add(1, "10:00", "gold")
    club.add(2, "10:00", "gold")
    assert reason in refused(bench_for(**with_source(**changed)))


def test_a_declared_column_that_the_table_lacks_is_one_line(bench: Bench, club: Club) -> None:
    club.run("alter table club.member drop column tier")
    assert refused(bench) == "feed club_members: club.member has no column tier"


def test_a_table_that_may_not_be_read_is_one_line(bench: Bench, club: Club) -> None:
    club.run("revoke select on club.member from tillhouse")
    assert refused(bench).endswith("broke off: InsufficientPrivilege (SQLSTATE 42501)")


def test_without_the_client_library_the_load_names_what_to_install(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    assert refused(bench).endswith(
        "reading a table needs psycopg: pip install 'tillhouse[postgres]'"
    )


def test_a_source_whose_columns_are_not_listed_is_refused_as_a_declaration() -> None:
    with pytest.raises(ValueError, match="source names joined, which columns does not"):
        Feed(**with_source(cursor="joined"))


def test_the_table_s_folder_takes_files_by_rename_only(bench: Bench) -> None:
    assert bench.feed.arrival.complete_by == "rename"
    assert isinstance(bench.landing, Path)

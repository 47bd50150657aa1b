"""What is found of feeds after a load: gaps, small files, silence, late rows, drift."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dagster_project.core.feeds import replay_feed
from dagster_project.core.feeds.findings import open_findings, review_feed, review_silence
from dagster_project.core.feeds.late import late_records
from dagster_project.core.feeds.standing import feed_standings
from tests.conftest import Bench

MakeBench = Callable[..., Bench]
PHONE = "; who to phone: Till desk, +44 20 0000 0000"
TICKETS: dict[str, Any] = {
    "feed": "tickets",
    "description": "Receipts of two tills.",
    "sender": "corner",
    "template": "pos_standard",
    "owner": "Till desk, +44 20 0000 0000",
    "format": "csv",
    "files": "*.csv",
    "arrival": {"complete_by": "rename", "reject_threshold": 0.9},
    "sequence": {"record": "receipt", "number": "receipt_id", "within": ["terminal_code"]},
    "columns": {"bon": [], "till": [], "at": []},
    "records": {
        "receipt": {
            "fields": {
                "receipt_id": "bon",
                "receipt_type": "'sale'",
                "store_code": "'S1'",
                "terminal_code": "till",
                "sold_at": "at",
                "currency_code": "'GBP'",
            }
        }
    },
}
HEADER = "bon,till,at\n"


@pytest.fixture
def tickets(bench_for: MakeBench) -> Bench:
    return bench_for(**TICKETS)


def receipts(*numbers: int, till: str = "T1", day: str = "2017-03-01", form: str = "{:04}") -> str:
    """One receipt a minute from ten o'clock, each number unique by the till's name."""
    return "".join(
        f"{till}-{form.format(number)},{till},{day} {10 + i // 60}:{i % 60:02}:00\n"
        for i, number in enumerate(numbers)
    )


def deliver(bench: Bench, name: str, *rows: str) -> None:
    bench.deliver(name, HEADER + "".join(rows))
    bench.load()


def findings(bench: Bench, *kinds: str) -> list[tuple[str, str, str]]:
    """Open ones: kind, subject, message without whom to phone, which every one must say."""
    rows = bench.rows(
        "select kind, subject, message from ops.feed_finding where resolved_at is null order by all"
    )
    assert all(message.endswith(PHONE) for _, _, message in rows)
    return [(k, s, m.removesuffix(PHONE)) for k, s, m in rows if not kinds or k in kinds]


def gaps(bench: Bench) -> dict[str, str]:
    return {subject: message for _, subject, message in findings(bench, "number_gap")}


def test_numbers_without_a_gap_are_no_finding_wherever_they_begin(tickets: Bench) -> None:
    deliver(tickets, "a.csv", receipts(117, 118, 119), receipts(7, 8, till="T2"))
    assert gaps(tickets) == {}


def test_missing_numbers_are_told_by_till_and_range(tickets: Bench) -> None:
    deliver(tickets, "a.csv", receipts(1, 2, 4, 8, 9), receipts(1, 3, till="T2"))
    assert gaps(tickets) == {
        "T1": "4 receipt_id numbers are missing: T1-0003, T1-0005 to T1-0007",
        "T2": "1 receipt_id number is missing: T2-0002",
    }


def test_a_late_file_closes_its_gap_and_the_finding_ends(tickets: Bench) -> None:
    deliver(tickets, "a.csv", receipts(1, 2, 5))
    assert gaps(tickets) == {"T1": "2 receipt_id numbers are missing: T1-0003 to T1-0004"}
    [(first_seen,)] = tickets.rows("select first_seen_at from ops.feed_finding")
    deliver(tickets, "b.csv", receipts(4))
    assert gaps(tickets) == {"T1": "1 receipt_id number is missing: T1-0003"}
    assert tickets.rows("select first_seen_at from ops.feed_finding") == [(first_seen,)]
    deliver(tickets, "c.csv", receipts(3))
    assert gaps(tickets) == {}
    [(kind, resolved)] = tickets.rows("select kind, resolved_at from ops.feed_finding")
    assert (kind, resolved >= first_seen) == ("number_gap", True)


def test_gaps_are_the_same_in_whatever_order_files_arrive(bench_for: MakeBench) -> None:
    parts = [receipts(1, 2), receipts(5, day="2017-03-02"), receipts(9, 10, day="2017-03-03")]
    expected = {"T1": "5 receipt_id numbers are missing: T1-0003 to T1-0004, T1-0006 to T1-0008"}
    bench = bench_for(**TICKETS)
    for order in itertools.permutations(range(3)):
        for number in order:
            deliver(bench, f"{number}.csv", parts[number])
        assert gaps(bench) == expected
        with bench.warehouse.connect() as connection:
            for table in ("raw.pos_standard__receipt", "ops.file_ledger", "ops.feed_finding"):
                connection.execute(f"delete from {table}")


def test_a_counter_that_begins_again_every_day_has_runs_of_a_day(bench_for: MakeBench) -> None:
    # The receipt's own number holds the day; the day's counter is what runs.
    fields = TICKETS["records"]["receipt"]["fields"] | {"terminal_code": "'T1'"}
    fields["receipt_id"] = "bon"
    bench = bench_for(**TICKETS | {"records": {"receipt": {"fields": fields}}})
    days = {"2017-03-01": (1, 2, 3), "2017-03-02": (1, 3, 4), "2017-03-03": (1, 2, 3, 4, 5)}
    rows = [
        f"{day:%y%m%d}-{number},x,{day:%Y-%m-%d} 10:0{number}:00\n"
        for day, numbers in ((datetime.fromisoformat(d), n) for d, n in days.items())
        for number in numbers
    ]
    deliver(bench, "a.csv", *rows)
    assert gaps(bench) == {"T1": "1 receipt_id number is missing: 170302-2"}


def test_a_bare_counter_that_begins_again_every_day_is_told_by_its_days(
    bench_for: MakeBench,
) -> None:
    # Number 2 of the second day is missing, though the other days have one.
    fields = {**TICKETS["records"]["receipt"]["fields"], "receipt_id": "\"at\" || '/' || till"}
    fields["line_count"] = "bon"
    sequence = {"record": "receipt", "number": "line_count", "within": ["terminal_code"]}
    bench = bench_for(
        **TICKETS | {"records": {"receipt": {"fields": fields}}, "sequence": sequence}
    )
    days = {"01": (1, 2, 3), "02": (1, 3, 4), "03": (1, 2, 3, 4, 5)}
    rows = [f"{number},T1,2017-03-{day} 10:0{number}:00\n" for day in days for number in days[day]]
    # An evening's last receipt stands behind midnight and still belongs to the evening.
    deliver(bench, "a.csv", *rows, "6,T1,2017-03-04 00:30:00\n")
    assert gaps(bench) == {"T1": "1 line_count number is missing: 2 of 2017-03-02"}


def test_a_counter_that_begins_again_once_is_no_gap(tickets: Bench) -> None:
    deliver(
        tickets, "a.csv", receipts(9998, 9999), receipts(1, 2, day="2017-03-02"),
        receipts(3, day="2017-03-03"),
    )  # fmt: skip
    # What lies between is one range, not thousands of lines.
    assert gaps(tickets) == {"T1": "9,994 receipt_id numbers are missing: T1-0004 to T1-9997"}


def test_only_the_latest_ranges_are_listed(tickets: Bench) -> None:
    deliver(tickets, "a.csv", receipts(*range(1, 40, 2)))
    assert gaps(tickets) == {
        "T1": "19 receipt_id numbers are missing; the latest 5 of 19 gaps are "
        "T1-0030, T1-0032, T1-0034, T1-0036, T1-0038"
    }


def test_a_rejected_receipt_is_missing_until_a_replay_brings_it(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS)
    deliver(bench, "a.csv", receipts(1), "T1-0002,T1,01/03/2017\n", receipts(3))
    assert gaps(bench) == {"T1": "1 receipt_id number is missing: T1-0002"}
    spelled = bench.feed.records["receipt"].fields | {
        "sold_at": "replace(\"at\", '01/03/2017', '2017-03-01')"
    }
    record = bench.feed.records["receipt"].model_copy(update={"fields": spelled})
    replay_feed(
        bench.warehouse, bench.feed.model_copy(update={"records": {"receipt": record}}),
        bench.template,
    )  # fmt: skip
    assert gaps(bench) == {}


def day_file(bench: Bench, day: int, count: int) -> None:
    date = f"2017-03-{day:02}"
    start = day * 1000
    deliver(bench, f"{date}.csv", receipts(*range(start, start + count), day=date))


def test_a_file_of_a_tenth_of_the_usual_size_is_found(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    for day, count in enumerate((20, 30, 10, 40), start=1):
        day_file(bench, day, count)
    assert findings(bench) == []
    # The median of 20, 30, 10 and 40 is 25, a tenth of it 2.5.
    day_file(bench, 5, 3)
    assert findings(bench) == []
    # With the 3 the median is 20, a tenth of it 2.
    day_file(bench, 6, 1)
    assert findings(bench) == [
        ("few_records", "2017-03-06.csv", "2017-03-06.csv brought 1 records, the files before it "
         "20 as a rule"),
    ]  # fmt: skip


def test_the_usual_share_is_the_feeds_own(bench_for: MakeBench) -> None:
    arrival = TICKETS["arrival"] | {"usual_share": 0.5}
    bench = bench_for(**TICKETS | {"sequence": None, "arrival": arrival})
    for day, count in enumerate((10, 10, 10, 4, 5), start=1):
        day_file(bench, day, count)
    assert [subject for _, subject, _ in findings(bench)] == ["2017-03-04.csv"]


def test_a_suddenly_empty_file_is_found_and_forgotten_after_ten_more(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    for day in range(1, 4):
        day_file(bench, day, 5)
    bench.deliver("2017-03-04.csv", HEADER)
    bench.deliver("2017-03-05.csv", "")
    bench.load()
    assert findings(bench) == [
        ("no_records", name, f"{name} brought no record, the files before it 5 as a rule")
        for name in ("2017-03-04.csv", "2017-03-05.csv")
    ]
    with bench.warehouse.connect() as connection:
        # A file without records has no business time: it stands where it arrived.
        connection.execute(
            "update ops.file_ledger set arrived_at = timestamptz '2017-03-05 00:00:00+00' "
            "where original_name in ('2017-03-04.csv', '2017-03-05.csv')"
        )
    for day in range(6, 16):
        day_file(bench, day, 5)
    assert findings(bench) == []


def test_silence_is_longer_than_expected_and_ends_with_the_next_file(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"arrival": TICKETS["arrival"] | {"expected_hours": 24}})
    deliver(bench, "a.csv", receipts(1))
    [(arrived,)] = bench.rows("select arrived_at from ops.file_ledger")
    feeds = {"tickets": bench.feed}

    def open_at(hours: float) -> list[str]:
        with bench.warehouse.connect(read_only=True) as connection:
            found = open_findings(connection, feeds, arrived + timedelta(hours=hours))
        return [one.kind for one in found]

    assert (open_at(23.9), open_at(24.1)) == ([], ["silence"])
    with bench.warehouse.connect() as connection:
        [found] = review_silence(connection, [bench.feed], arrived + timedelta(hours=25))
        assert review_silence(connection, [bench.feed], arrived + timedelta(hours=26)) == [found]
    stamp = f"{arrived.astimezone(UTC):%Y-%m-%d %H:%M}"
    assert findings(bench) == [
        ("silence", "", f"nothing has arrived since {stamp} UTC, something is expected every "
         "24 hours"),
    ]  # fmt: skip
    deliver(bench, "b.csv", receipts(2))
    assert findings(bench) == []


def test_a_feed_that_never_began_is_not_silent(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"arrival": TICKETS["arrival"] | {"expected_hours": 1}})
    with bench.warehouse.connect() as connection:
        assert review_silence(connection, [bench.feed]) == []


def test_silence_of_one_feed_leaves_other_findings_alone(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"arrival": TICKETS["arrival"] | {"expected_hours": 24}})
    deliver(bench, "a.csv", receipts(1, 3))
    with bench.warehouse.connect() as connection:
        review_silence(connection, [bench.feed])
    assert [kind for kind, _, _ in findings(bench)] == ["number_gap"]


def stamped(*ages_days: float) -> str:
    """Receipts so many days old."""
    now = datetime.now(UTC)
    return "".join(
        f"N{round(age * 100)},T1,{now - timedelta(days=age):%Y-%m-%d %H:%M:%S}\n"
        for age in ages_days
    )


def test_late_rows_among_timely_files_are_counted_with_the_oldest(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    bench.deliver("a.csv", HEADER + stamped(0.1, 0.2, 0.3))
    bench.deliver("b.csv", HEADER + stamped(0.4, 3.5, 8.5))
    bench.deliver("c.csv", HEADER + stamped(0.5, 0.6, 2.9))
    bench.deliver("d.csv", HEADER + stamped(5.5))
    bench.load()
    oldest = f"{datetime.now(UTC) - timedelta(days=8.5):%Y-%m-%d}"
    assert findings(bench) == [
        ("late_data", "", "3 of 10 recent records (30.0%) arrived more than 3 days late, "
         f"the oldest is of {oldest}"),
    ]  # fmt: skip
    with bench.warehouse.connect(read_only=True) as connection:
        assert late_records(connection, bench.feed, bench.template, [1]) == 3
        assert late_records(connection, bench.feed, bench.template, [2]) == 0


def test_history_that_is_taken_in_is_not_late_data(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    for day in range(1, 4):
        day_file(bench, day, 2)
    assert findings(bench) == []


def test_new_columns_are_found_until_the_feed_knows_them(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    deliver(bench, "a.csv", receipts(1))
    bench.deliver("b.csv", "bon,till,at,mood\nB,T1,2017-03-02,ok\n")
    bench.deliver("c.csv", "bon,till,at,mood\nC,T1,2017-03-03,ok\n")
    bench.load()
    assert findings(bench) == [
        ("new_column", "mood", "column mood is new in 2 of the last 3 files, first in b.csv")
    ]
    known = bench.feed.model_copy(update={"columns": bench.feed.columns | {"mood": ()}})
    with bench.warehouse.connect() as connection:
        assert review_feed(connection, known, bench.template) == []
    assert findings(bench) == []


def test_missing_columns_are_found_where_they_are_let_in(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None, "drift": {"missing_column": "note"}})
    deliver(bench, "a.csv", receipts(1))
    bench.deliver("b.csv", "bon,at\nB,2017-03-02\n")
    bench.load()
    assert findings(bench) == [
        (
            "missing_column",
            "till",
            "column till is missing in 1 of the last 2 files, first in b.csv",
        )
    ]


def test_a_reject_rate_that_rose_is_found(bench_for: MakeBench) -> None:
    bench = bench_for(**TICKETS | {"sequence": None})
    bad = "X,T1,never\n"
    for day in range(1, 14):
        date = f"2017-03-{day:02}"
        numbers = range(day * 100, day * 100 + 9)
        # Of the first three files one record in thirty is bad, of the ten that follow one in ten.
        is_bad = day == 1 or day > 3
        tail = bad.replace("X", f"X{day}") if is_bad else receipts(day * 100 + 9, day=date)
        bench.deliver(f"{date}.csv", HEADER + receipts(*numbers, day=date) + tail)
    bench.load()
    assert findings(bench) == [
        ("reject_rate", "", "10 of 100 records of the last 10 files were rejected (10.0%), "
         "3.3% before"),
    ]  # fmt: skip


def test_reviewing_again_changes_nothing_but_the_time_it_was_seen(tickets: Bench) -> None:
    deliver(tickets, "a.csv", receipts(1, 3))
    state = "select feed, kind, subject, message, first_seen_at, resolved_at from ops.feed_finding"
    before = tickets.rows(state)
    with tickets.warehouse.connect() as connection:
        review_feed(connection, tickets.feed, tickets.template)
        review_feed(connection, tickets.feed, tickets.template)
    assert tickets.rows(state) == before
    assert len(before) == 1


def test_a_standing_holds_reasons_held_back_files_and_loads_without_values(
    tickets: Bench,
) -> None:
    deliver(tickets, "a.csv", receipts(1, 2), "secret,T1,never\n", "secret2,T1,never\n")
    tickets.deliver("b.csv", HEADER + "Z,T1,never\n")
    tickets.load()
    with tickets.warehouse.connect(read_only=True) as connection:
        found = feed_standings(connection, {"tickets": tickets.feed}, datetime.now(UTC))
    [standing] = found.values()
    assert [(r.file, r.line, r.column, r.code, r.count) for r in standing.reasons] == [
        ("b.csv", 2, "sold_at", "bad_timestamp", 1),
        ("a.csv", 4, "sold_at", "bad_timestamp", 2),
    ]
    assert [(one.file, one.reason) for one in standing.held_back] == [
        ("b.csv", "1 of 1 records rejected, more than 90%")
    ]
    assert [(one.physical_count, one.rejected_count) for one in standing.loads] == [(4, 2), (1, 1)]
    assert (standing.recent_files, standing.recent_physical, standing.recent_rejected) == (2, 5, 3)
    assert standing.reject_share == pytest.approx(0.6)
    assert "secret" not in repr(standing)

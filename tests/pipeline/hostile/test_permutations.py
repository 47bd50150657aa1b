"""One delivery in any order, split and number of loads ends as the same versions of each key."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

import pytest

from tests.conftest import Bench
from tests.pipeline.till_lines import LINES

MakeBench = Callable[..., Bench]
HEADER = "bon,pos,sku,qty,amount,at,sent\n"
FIELDS = LINES["records"]["line"]["fields"] | {"sent_at": "sent"}
COLUMNS = LINES["columns"] | {"sent": []}
# What a mart sees of a key: its latest version, then the larger hash.
LATEST = """
select receipt_id, line_number, product_code, quantity, list_amount, sold_at, sent_at, _content_hash
from raw.pos_standard__line where _sender = ?
qualify row_number() over (
    partition by _record_key order by sent_at desc nulls last, _content_hash desc
) = 1 order by all
"""
CONTENTS = (
    "select distinct receipt_id, line_number, _content_hash from raw.pos_standard__line "
    "where _sender = ? order by all"
)


def delivery() -> list[str]:
    """Records of 42 lines: some twice, some corrected, some by versions older than the row."""
    rows = [f"R{n // 3},{n % 3},p{n},1,{n}.50,2017-03-01 10:00:00,2017-03-01 11:00:00\n"
            for n in range(42)]  # fmt: skip
    corrected = [row.replace(".50,", ".75,").replace(" 11:", " 12:") for row in rows[:8]]
    older = [row.replace(".50,", ".25,").replace(" 11:", " 09:") for row in rows[8:12]]
    undated = [rows[20].replace(".50,", ".99,").replace("2017-03-01 11:00:00", "")]
    return [*rows, *rows[5:10], *corrected, *older, *undated]


def in_some_files(rows: list[str], chance: random.Random) -> list[bytes]:
    """The rows in any order, cut into files; some files come twice, packed or otherwise written."""
    shuffled = chance.sample(rows, len(rows))
    cuts = sorted(chance.sample(range(1, len(rows)), chance.randrange(1, 7)))
    parts = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    files = [(HEADER + "".join(part)).encode() for part in parts]
    again = chance.choice(files)
    ways = (again, gzip.compress(again), b"\xef\xbb\xbf" + again, again.replace(b"\n", b"\r\n"))
    delivered = [*files, *ways[: chance.randrange(5)]]
    return chance.sample(delivered, len(delivered))


@pytest.fixture(scope="module")
def loaded(module_bench_for: MakeBench) -> Callable[[str, list[list[bytes]]], Bench]:
    """Loads files, given per load, under a sender of their own."""

    def load(name: str, loads: list[list[bytes]]) -> Bench:
        records = {"line": {"fields": FIELDS}}
        own = {"feed": name, "sender": name, "files": "*", "columns": COLUMNS, "records": records}
        bench = module_bench_for(**LINES | own)
        for number, files in enumerate(loads):
            for place, content in enumerate(files):
                bench.deliver(f"{number}-{place}.csv", content)
            outcome = bench.load()
            assert outcome.rejected_count == 0
            assert outcome.quarantined == ()
        return bench

    return load


@pytest.mark.long
def test_fifty_orders_and_splits_end_in_the_same_rows(
    loaded: Callable[[str, list[list[bytes]]], Bench],
) -> None:
    rows = delivery()
    once = loaded("once", [[(HEADER + "".join(rows)).encode()]])
    latest, contents = once.rows(LATEST, "once"), once.rows(CONTENTS, "once")
    assert len(latest) == 42
    assert len(contents) == 42 + 8 + 4 + 1
    cents = [str(row[4]).partition(".")[2] for row in latest]
    assert (cents.count("7500"), cents.count("5000")) == (8, 34)
    for seed in range(50):
        chance = random.Random(seed)
        files = in_some_files(rows, chance)
        cut = chance.randrange(len(files)) if seed % 5 == 0 else 0
        name = f"order_{seed}"
        bench = loaded(name, [part for part in (files[:cut], files[cut:]) if part])
        assert bench.rows(CONTENTS, name) == contents, seed
        assert bench.rows(LATEST, name) == latest, seed


def turned(content: str) -> bytes:
    return "".join(
        ",".join(reversed(line.split(","))) + "\n" for line in content.splitlines()
    ).encode()


WAYS = {
    "renamed": lambda text: text.encode(),
    "packed": lambda text: gzip.compress(text.encode()),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "columns turned": turned,
    "columns turned, packed": lambda text: gzip.compress(turned(text)),
    "every cell quoted": lambda text: "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in text.splitlines()
    ).encode(),
    "rows turned": lambda text: (
        HEADER + "".join(reversed(text.splitlines(keepends=True)[1:]))
    ).encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_delivery_written_otherwise_changes_no_row(
    loaded: Callable[[str, list[list[bytes]]], Bench], way: str
) -> None:
    name = f"way_{list(WAYS).index(way)}"
    text = HEADER + "".join(delivery())
    bench = loaded(name, [[text.encode()]])
    state = (
        "select count(*), sum(hash(r)::hugeint) from raw.pos_standard__line as r where _sender = ?"
    )
    before = bench.rows(state, name)
    bench = loaded(name, [[WAYS[way](text)]])
    assert bench.rows(state, name) == before

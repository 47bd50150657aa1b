"""A load that cannot go on says so in one line, leaves nothing half, and goes on later."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.core.feeds import LoadError, waiting_files
from dagster_project.core.feeds.store import original_path
from dagster_project.core.keys import MasterKey
from dagster_project.core.warehouse import Warehouse
from tests.conftest import TEST_KEY, Bench
from tests.pipeline.till_lines import HEADER, LINES, ONE, TWO

MakeBench = Callable[..., Bench]
CHILD = textwrap.dedent(
    """
    import resource, sys
    from pathlib import Path
    from dagster_project.core.declarations import Feed, load_templates
    from dagster_project.core.feeds import LoadError, load_feed
    from dagster_project.core.home import TEMPLATES, Home
    from dagster_project.core.warehouse import Warehouse
    from tests.conftest import TEST_KEY
    from tests.pipeline.till_lines import LINES

    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    feed = Feed(**LINES)
    try:
        load_feed(
            Warehouse(Home(Path(sys.argv[1])), TEST_KEY), feed,
            load_templates(TEMPLATES)[feed.template],
        )
    except LoadError as error:
        print(error)
        sys.exit(2)
    """
)


def many_lines(count: int) -> str:
    """Lines that a database can hardly store in fewer bytes."""
    chance = random.Random(1)
    signs = [chr(code) for code in range(33, 127) if chr(code) not in ",\"'"]
    return HEADER + "".join(
        f"{''.join(chance.choices(signs, k=40))},1,"
        f"{''.join(chance.choices(signs, k=40))},1,1,2017-03-01\n"
        for _ in range(count)
    )


@pytest.mark.parametrize("share", [0.2, 1.02], ids=["sealing the original", "writing the rows"])
def test_no_space_on_the_disk_is_one_line_and_nothing_half(
    bench_for: MakeBench, share: float
) -> None:
    till = bench_for(**LINES)
    # No file may grow beyond a share of the 4 MB that are delivered.
    limit = int(till.deliver("a.csv", many_lines(40_000)).stat().st_size * share)
    home = till.warehouse.home.root
    project = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home), str(limit)],
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("feed till_lines: ")
    assert len(done.stdout.splitlines()) == 1
    assert till.rows("select count(*) from raw.pos_standard__line") == [(0,)]
    assert till.rows("select count(*) from ops.file_ledger") == [(0,)]

    assert till.load().loaded_count == 40_000
    assert list(till.warehouse.home.store.glob(".sealing-*")) == []


def test_files_taken_by_a_load_that_failed_still_wait(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE)
    with till.warehouse.connect() as connection:
        connection.execute("drop table ops.file_ledger")
    with pytest.raises(LoadError, match="feed till_lines: Catalog Error"):
        till.load()
    assert [path.name for path in waiting_files(till.warehouse.home, till.feed)] == ["a.csv"]


def test_an_original_opens_only_with_its_key_and_unaltered(
    bench_for: MakeBench, tmp_path: Path
) -> None:
    from dagster_project.core.feeds.store import open_original

    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE + TWO)
    till.load()
    home = till.warehouse.home
    file_id = till.rows("select file_id from ops.file_ledger")[0][0]
    with pytest.raises(LoadError, match="was sealed with another key"):
        open_original(home, MasterKey(b"x" * 32), file_id, tmp_path / "a")
    sealed = original_path(home, file_id)
    content = bytearray(sealed.read_bytes())
    content[-1] ^= 1
    sealed.write_bytes(content)
    with pytest.raises(LoadError, match="was altered"):
        open_original(home, TEST_KEY, file_id, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    sealed.unlink()
    with pytest.raises(LoadError, match="is not in the store"):
        open_original(home, TEST_KEY, file_id, tmp_path / "a")


def test_loading_the_same_files_in_any_split_and_order_gives_the_same_rows(
    bench_for: MakeBench,
) -> None:
    till = bench_for(**LINES)
    rows = [f"R{n % 7},{n % 5},p{n % 3},1,{n % 2},2017-03-01\n" for n in range(70)]
    content = "select receipt_id, line_number, product_code, list_amount, _record_key from " \
        "raw.pos_standard__line order by all"  # fmt: skip
    till.deliver("all.csv", HEADER + "".join(rows))
    till.load()
    once = till.rows(content)
    conflicts = till.rows("select record_key from ops.raw_conflict order by 1")

    with till.warehouse.connect() as connection:
        for table in ("raw.pos_standard__line", "ops.raw_conflict", "ops.file_ledger"):
            connection.execute(f"delete from {table}")
    chance = random.Random(5)
    chance.shuffle(rows)
    for part in range(7):
        till.deliver(f"{part}.csv", HEADER + "".join(rows[part * 10 : part * 10 + 10]))
        if part % 3 == 2:
            till.load()
    till.load()
    assert till.rows(content) == once
    assert till.rows("select record_key from ops.raw_conflict order by 1") == conflicts


def test_a_warehouse_with_another_key_is_not_opened(bench_for: MakeBench) -> None:
    from dagster_project.core.feeds import load_feed
    from dagster_project.core.warehouse import WarehouseError

    till = bench_for(**LINES)
    till.deliver("a.csv", HEADER + ONE)
    other = Warehouse(till.warehouse.home, MasterKey(b"x" * 32))
    with pytest.raises(WarehouseError, match="wrong key"):
        load_feed(other, till.feed, till.template)
    assert till.load().loaded_count == 1

"""Originals that lie together in a pack, and files that are claimed together."""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.core.feeds import LoadError, batch, load, packs, replay_feed, waiting_files
from dagster_project.core.feeds.arrive import claim_files, put_back
from dagster_project.core.feeds.store import LOOSE, has_original, open_original
from dagster_project.core.keys import MasterKey
from tests.conftest import Bench
from tests.pipeline.test_feed_replay import GERMAN, corrected
from tests.pipeline.till_lines import HEADER, LINES, ONE

MakeBench = Callable[..., Bench]
FILES = LOOSE + 2


def deliver_many(till: Bench) -> dict[str, str]:
    """So many small files that they are packed; content by name."""
    sent = {f"{n:02d}.csv": f"{HEADER}R{n},1,milk,1,2.50,2017-03-01\n" for n in range(FILES)}
    for name, content in sent.items():
        till.deliver(name, content)
    return sent


def file_ids(till: Bench) -> dict[str, str]:
    return dict(till.rows("select original_name, file_id from ops.file_ledger"))


def the_pack(till: Bench) -> Path:
    (pack,) = till.warehouse.home.store.rglob("*.pack")
    return pack


def test_many_small_originals_share_a_pack_and_each_opens_again(
    bench_for: MakeBench, tmp_path: Path
) -> None:
    till = bench_for(**LINES)
    sent = deliver_many(till)
    assert till.load().loaded_count == FILES
    home = till.warehouse.home
    assert [path.name for path in home.store.iterdir()] == ["packs"]
    assert b"milk" not in the_pack(till).read_bytes()
    assert the_pack(till).stat().st_mode & 0o077 == 0
    for name, file_id in file_ids(till).items():
        open_original(home, till.warehouse.key, file_id, tmp_path / name)
        assert (tmp_path / name).read_text() == sent[name]
    assert not has_original(home, "0" * 64)


def test_a_packed_original_opens_only_with_its_key_and_unaltered(
    bench_for: MakeBench, tmp_path: Path
) -> None:
    till = bench_for(**LINES)
    deliver_many(till)
    till.load()
    home, first = till.warehouse.home, file_ids(till)["00.csv"]
    with pytest.raises(LoadError, match="was sealed with another key"):
        open_original(home, MasterKey(b"x" * 32), first, tmp_path / "a")
    content = bytearray(the_pack(till).read_bytes())
    content[len(packs.MAGIC)] ^= 1  # the first byte of the first body
    the_pack(till).write_bytes(content)
    with pytest.raises(LoadError, match="was altered"):
        open_original(home, till.warehouse.key, first, tmp_path / "a")
    open_original(home, till.warehouse.key, file_ids(till)["01.csv"], tmp_path / "b")
    the_pack(till).write_bytes(content[:-1])
    with pytest.raises(LoadError, match="is not one of ours"):
        has_original(home, first)


def test_rejects_of_a_packed_original_come_in_after_a_correction(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    deliver_many(till)
    till.deliver("bad.csv", HEADER + ONE + GERMAN)
    assert till.load().rejected_count == 1
    outcome = replay_feed(till.warehouse, corrected(till).feed, till.template)
    assert (outcome.loaded_count, outcome.rejected_count) == (1, 0)


def test_a_batch_loaded_again_after_a_crash_leaves_one_pack(
    bench_for: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = bench_for(**LINES)
    deliver_many(till)
    with monkeypatch.context() as patch:
        write = packs.write

        def write_and_die(*given: object) -> None:
            write(*given)
            raise SystemExit

        patch.setattr(packs, "write", write_and_die)
        with pytest.raises(SystemExit):
            till.load()
    assert till.rows("select count(*) from ops.file_ledger") == [(0,)]
    assert the_pack(till).exists()
    assert till.load().loaded_count == FILES
    assert the_pack(till).exists()


def test_of_files_claimed_together_each_has_an_arrival_of_its_own_after_a_crash_too(
    bench_for: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = bench_for(**LINES)
    sent = deliver_many(till)
    home = till.warehouse.home
    taken = claim_files(home, till.feed)
    again = claim_files(home, till.feed)
    assert again == taken
    assert [claim.name for claim in taken] == list(sent)
    assert len({claim.arrived_at for claim in taken}) == FILES
    monkeypatch.setattr(load, "MAX_BATCH_FILES", 3)
    assert till.load().loaded_count == FILES
    assert waiting_files(home, till.feed) == []
    assert list((till.landing / ".claimed").iterdir()) == []


def test_a_file_that_is_put_back_has_its_senders_name(bench_for: MakeBench) -> None:
    till = bench_for(**LINES)
    names = ["12~a.csv", "b.csv", "ü" * 120 + ".csv"]  # the last has 244 bytes
    for name in names:
        till.deliver(name, HEADER + ONE)
    for claim in claim_files(till.warehouse.home, till.feed):
        put_back(claim)
    assert sorted(os.listdir(till.landing)) == [".claimed", *names]
    assert [path.name for path in waiting_files(till.warehouse.home, till.feed)] == names


def stored(till: Bench) -> list[tuple[Path, int, int]]:
    """Every stored file with its size and the time it was last written."""
    found = [path for path in till.warehouse.home.store.rglob("*") if path.is_file()]
    return sorted((path, path.stat().st_size, path.stat().st_mtime_ns) for path in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: codecs.BOM_UTF8 + text,
        lambda text: text.replace(b"\n", b"\r\n"),
    ],
    ids=["the same", "with a mark", "CRLF"],
)
def test_a_delivery_that_its_bytes_tell_is_known_is_neither_read_nor_kept(
    bench_for: MakeBench, monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]
) -> None:
    till = bench_for(**LINES)
    sent = deliver_many(till)
    till.load()
    kept = stored(till)

    def read(*_: object) -> None:
        raise AssertionError("was read")

    monkeypatch.setattr(batch, "make_readable", read)
    for name, content in sent.items():
        till.deliver(f"again {name}", change(content.encode()))
    outcome = till.load()
    assert (outcome.physical_count, outcome.duplicate_count) == (FILES, FILES)
    assert stored(till) == kept


def test_a_big_original_lies_by_itself(bench_for: MakeBench, tmp_path: Path) -> None:
    till = bench_for(**LINES)
    deliver_many(till)
    rows = "".join(f"B{n},1,milk,1,2.50,2017-03-01\n" for n in range(40_000))
    till.deliver("big.csv", HEADER + rows)
    assert till.load().loaded_count == FILES + 40_000
    file_id = file_ids(till)["big.csv"]
    kept = [path.name for path in till.warehouse.home.store.rglob("*.enc")]
    assert kept == [f"{file_id}.enc"]
    open_original(till.warehouse.home, till.warehouse.key, file_id, tmp_path / "big")
    assert (tmp_path / "big").read_text() == HEADER + rows

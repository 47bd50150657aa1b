"""Every fault is in the files as the truth states it, and ends as it says when they are loaded."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.core.declarations import load_feeds, load_templates
from dagster_project.core.feeds import FeedOutcome, load_feed
from dagster_project.core.home import FEEDS, TEMPLATES
from dagster_project.core.simulation import simulate
from dagster_project.core.simulation.faults import FAULTS
from dagster_project.core.warehouse import Warehouse

SIZE = {"stores": 4, "days": 63, "customers": 1500, "seed": 9}
Fault = dict[str, str]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same retailer at every fault level."""
    found = {}
    for level in ("none", "light", "heavy"):
        found[level] = tmp_path_factory.mktemp(level)
        simulate(found[level], faults=level, **SIZE)
    return found


def stated(out: Path) -> list[Fault]:
    """The rows of ``truth/faults.csv``."""
    with (out / "truth" / "faults.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def lines_of(out: Path, fault: Fault, suffix: str = "") -> list[str]:
    """The damaged file, or the one beside it, line by line."""
    stem, _, ending = fault["file_name"].rpartition(".")
    path = out / "landing" / fault["feed"] / f"{stem}{suffix}.{ending}"
    return path.read_text("utf-8-sig").splitlines()


def of_kind(out: Path, name: str) -> Iterator[tuple[Fault, int]]:
    """Faults of one kind with their number of rows; there is at least one."""
    found = [fault for fault in stated(out) if fault["fault"] == name]
    assert found, name
    for fault in found:
        yield fault, int(fault["row_count"])


def test_no_fault_is_stated_without_faults(runs: dict[str, Path]) -> None:
    assert stated(runs["none"]) == []


def test_heavy_has_every_kind_of_fault(runs: dict[str, Path]) -> None:
    kinds = {fault["fault"] for fault in stated(runs["heavy"])}

    # Posts come in files too small to be damaged at this size.
    expected = {fault.name for fault in FAULTS} | {"cvv", "script_spelling"}
    assert kinds == expected - {"broken_json"}


def test_files_without_a_stated_fault_are_those_of_the_clean_run(runs: dict[str, Path]) -> None:
    # Spellings belong to the people, so files that carry contacts differ.
    named = {(f["feed"], Path(f["file_name"]).stem) for f in stated(runs["light"])}
    own = {"lantern_orders", "lantern_members"}
    compared = 0
    for clean in (runs["none"] / "landing").rglob("*.*"):
        feed = clean.parent.name
        if feed not in own and (feed, clean.stem) not in named:
            twin = runs["light"] / "landing" / feed / clean.name
            assert twin.read_bytes() == clean.read_bytes(), twin.name
            compared += 1

    assert compared > 300


def test_repeated_lines_stand_twice(runs: dict[str, Path]) -> None:
    for fault, count in of_kind(runs["light"], "repeated_line"):
        times = Counter(lines_of(runs["light"], fault))
        assert sum(n - 1 for n in times.values()) == count


def test_a_redelivered_file_is_the_same_but_for_its_newlines_and_mark(
    runs: dict[str, Path],
) -> None:
    for fault, count in of_kind(runs["light"], "redelivered_file"):
        first = lines_of(runs["light"], fault)
        assert lines_of(runs["light"], fault, "_again") == first
        assert len(first) == count + 1
        stem, _, ending = fault["file_name"].rpartition(".")
        again = runs["light"] / "landing" / fault["feed"] / f"{stem}_again.{ending}"
        assert again.read_bytes().startswith(b"\xef\xbb\xbf")
        assert b"\r\n" in again.read_bytes()


def test_late_rows_come_in_a_file_of_their_own(runs: dict[str, Path]) -> None:
    for fault, count in of_kind(runs["light"], "late_rows"):
        first, late = lines_of(runs["light"], fault), lines_of(runs["light"], fault, "_late")
        assert late[0] == first[0]
        assert len(late) - 1 == count
        assert first + late[1:] == lines_of(runs["none"], fault)


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        pytest.param("bad_date", "2017-02-30", id="bad date"),
        pytest.param("bad_number", "#REF!", id="bad number"),
        pytest.param("stray_quote", '"', id="stray quote"),
        pytest.param("card_in_text", "4111 1111 1111 1111", id="card in text"),
    ],
)
@pytest.mark.parametrize("level", ["light", "heavy"])
def test_a_mark_stands_in_as_many_rows_as_stated(
    runs: dict[str, Path], level: str, name: str, mark: str
) -> None:
    for fault, count in of_kind(runs[level], name):
        assert sum(mark in line for line in lines_of(runs[level], fault)) == count


@pytest.mark.parametrize(("name", "least", "most"), [("ragged_row", 1, 1), ("short_row", -99, -1)])
def test_ragged_rows_have_another_number_of_cells(
    runs: dict[str, Path], name: str, least: int, most: int
) -> None:
    for fault, count in of_kind(runs["heavy"], name):
        header, *lines = lines_of(runs["heavy"], fault)
        separator = next(mark for mark in ";|,\t" if mark in header)
        wrong = [line.count(separator) - header.count(separator) for line in lines]
        wrong = [difference for difference in wrong if difference]
        assert len(wrong) == count
        assert all(least <= difference <= most for difference in wrong)


def test_a_row_without_its_number_begins_with_the_separator(runs: dict[str, Path]) -> None:
    for fault, count in of_kind(runs["light"], "missing_required"):
        starts = [line[0] for line in lines_of(runs["light"], fault)[1:]]
        assert sum(start in ";|," for start in starts) == count


def test_at_light_the_good_row_stands_beside_the_broken_one_and_at_heavy_it_is_lost(
    runs: dict[str, Path],
) -> None:
    for level, kept in (("light", True), ("heavy", False)):
        for fault, count in of_kind(runs[level], "bad_number"):
            if fault["feed"] == "lantern_tenders":  # has verification values too at heavy
                continue
            clean = lines_of(runs["none"], fault)
            good = [line for line in lines_of(runs[level], fault) if "#REF!" not in line]
            assert len(good) == len(clean) - (0 if kept else count)
            assert set(good) <= set(clean)


def test_a_truncated_file_ends_within_a_row_and_comes_whole_later(
    runs: dict[str, Path],
) -> None:
    for fault, _ in of_kind(runs["light"], "truncated_file"):
        cut = lines_of(runs["light"], fault)
        whole = lines_of(runs["light"], fault, "_again")
        assert whole == lines_of(runs["none"], fault)
        assert cut[:-1] == whole[: len(cut) - 1]
        assert whole[len(cut) - 1].startswith(cut[-1])
        assert cut[-1] != whole[len(cut) - 1]


def test_an_empty_file_has_no_byte_and_comes_whole_later(runs: dict[str, Path]) -> None:
    for fault, _ in of_kind(runs["light"], "empty_file"):
        assert lines_of(runs["light"], fault) == []
        assert lines_of(runs["light"], fault, "_again") == lines_of(runs["none"], fault)


def test_a_file_in_the_wrong_encoding_is_no_utf_8(runs: dict[str, Path]) -> None:
    for fault, _ in of_kind(runs["heavy"], "wrong_encoding"):
        content = (runs["heavy"] / "landing" / fault["feed"] / fault["file_name"]).read_bytes()
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")
        assert "CN-WEB" in content.decode("gb18030")


def test_a_corrected_receipt_has_a_later_version_and_other_seconds(
    runs: dict[str, Path],
) -> None:
    for fault, count in of_kind(runs["light"], "corrected_row"):
        header, *again = (line.split(";") for line in lines_of(runs["light"], fault, "_corrected"))
        first = {line.split(";")[0]: line.split(";") for line in lines_of(runs["none"], fault)}
        assert len(again) == count
        for cells in again:
            old = first[cells[0]]
            changed = {header[n] for n, cell in enumerate(cells) if cell != old[n]}
            assert changed == {"written_at", "secs"}
            assert cells[header.index("written_at")] > old[header.index("written_at")]


@pytest.mark.parametrize(
    ("level", "expected"), [("none", False), ("light", False), ("heavy", True)]
)
def test_verification_values_come_only_at_heavy(
    runs: dict[str, Path], level: str, expected: bool
) -> None:
    values = cells_of(runs[level], "lantern_tenders", "tenders_*.csv", "cvv", ";")

    assert any(values) is expected


def cells_of(out: Path, feed: str, files: str, column: str, separator: str) -> list[str]:
    """One column of a feed's UTF-8 files; nothing where a row is too short for it."""
    found = []
    for path in sorted((out / "landing" / feed).glob(files)):
        lines = path.read_text("utf-8-sig", errors="replace").splitlines()
        found += [row[column] for row in csv.DictReader(lines, delimiter=separator, restval="")]
    return found


def digits_of_another_script(text: str) -> bool:
    return any(c.isdigit() and not c.isascii() for c in text)


def test_digits_of_other_scripts_come_with_the_faults(runs: dict[str, Path]) -> None:
    counts = {}
    for level, out in runs.items():
        mobiles = cells_of(out, "lantern_orders", "orders_IR_*.csv", "mobile", ",")
        counts[level] = sum(digits_of_another_script(mobile) for mobile in mobiles)

    assert counts["none"] == 0
    assert counts["heavy"] > counts["light"]


@pytest.mark.slow
def test_at_light_every_fault_ends_as_stated_and_nothing_is_lost(
    runs: dict[str, Path], warehouse: Warehouse
) -> None:
    faults = stated(runs["light"])
    with (runs["none"] / "truth" / "totals.csv").open(encoding="utf-8") as handle:
        totals = {row["feed"]: int(row["row_count"]) for row in csv.DictReader(handle)}
    for fault in faults:
        if fault["fault"] == "corrected_row":  # a second version of the same receipt
            totals[fault["feed"]] += int(fault["row_count"])

    outcomes = load_all(runs["light"], warehouse)

    assert {feed: outcome.loaded_count for feed, outcome in outcomes.items()} == totals
    for feed, outcome in outcomes.items():
        check_outcome(outcome, [fault for fault in faults if fault["feed"] == feed])


@pytest.mark.long
def test_at_heavy_every_fault_ends_as_stated(runs: dict[str, Path], warehouse: Warehouse) -> None:
    faults = stated(runs["heavy"])

    for feed, outcome in load_all(runs["heavy"], warehouse).items():
        check_outcome(outcome, [fault for fault in faults if fault["feed"] == feed])


def check_outcome(outcome: FeedOutcome, faults: list[Fault]) -> None:
    """What the loader rejected and held back of a feed is what its faults say."""
    rejected = sum(int(f["row_count"]) for f in faults if f["outcome"] == "rejected")
    held_back = {f["file_name"] for f in faults if f["outcome"] == "quarantined"}
    assert {name for name, _ in outcome.quarantined} == held_back
    # Each record of a file in the wrong encoding is rejected before the file is held back.
    if all(fault["fault"] != "wrong_encoding" for fault in faults):
        assert outcome.rejected_count == rejected


def load_all(out: Path, warehouse: Warehouse) -> dict[str, FeedOutcome]:
    """Load every feed of the simulated banner out of a copy of its landing folder."""
    templates = load_templates(TEMPLATES)
    found = {}
    for name, feed in load_feeds(FEEDS, templates).items():
        folder = out / "landing" / name
        if folder.exists():
            shutil.copytree(folder, warehouse.home.landing / name)
            found[name] = load_feed(warehouse, feed, templates[feed.template])
    return found

"""A sample of each kind of damage, proposed and delivered as the whole benchmark does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pollock import (
    DATA,
    Outcome,
    deliver_each,
    kind_of_damage,
    opened,
    propose_each,
    read_weights,
    weighted,
)

PLACES = 7  # of each damage within rows, spread over rows and columns

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the polluted files are not beside the project"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return opened(DATA, tmp_path_factory.mktemp("pollock"))


@pytest.fixture(scope="module")
def names(folder: Path) -> list[str]:
    """Every damage of whole files, damaged headers, and rows spread over the table."""
    every = sorted(path.name for path in (folder / "csv").glob("*.csv"))
    rows: dict[str, list[str]] = {}
    for name in every:
        if name.startswith("row_"):
            rows.setdefault(kind_of_damage(name), []).append(name)
    chosen = [name for name in every if not name.startswith("row_")]
    for kind, found in rows.items():
        header = next(
            name for name in found if name.startswith((f"{kind}_row0", f"{kind}0", f"{kind}_0"))
        )
        chosen += [header, *found[:: max(1, len(found) // PLACES)]]
    return list(dict.fromkeys(chosen))


@pytest.fixture(scope="module")
def proposed(
    folder: Path, names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> list[Outcome]:
    return propose_each(folder, names, tmp_path_factory.mktemp("proposed"))


def test_a_proposal_reads_polluted_files_as_a_person_would(proposed: list[Outcome]) -> None:
    simple = sum(one.score for one in proposed) / len(proposed)
    rows = [one.score for one in proposed if one.name.startswith("row_")]
    assert weighted(proposed, read_weights(DATA)) >= 9.5
    # Four of the 22 damaged whole files cannot be read without guessing; of 2,290 they are few.
    assert simple >= 9.6
    assert sum(rows) / len(rows) >= 9.9


@pytest.mark.parametrize(
    "name",
    [
        "source.csv", "file_record_delimiter_0xA.csv", "file_record_delimiter_0xD.csv",
        "file_field_delimiter_0x3B.csv", "file_field_delimiter_0x9.csv",
        "file_field_delimiter_0x2C_0x20.csv", "file_no_header.csv", "file_preamble.csv",
        "file_header_multirow_3.csv", "file_multitable_less.csv", "file_multitable_more.csv",
        "file_multitable_same.csv", "file_escape_char_0x5C.csv", "file_header_only.csv",
        "file_one_data_row.csv", "file_no_trailing_newline.csv",
    ],
)  # fmt: skip
def test_what_can_be_told_from_the_file_is_read_without_a_fault(
    proposed: list[Outcome], name: str
) -> None:
    assert {one.name: one.score for one in proposed}[name] == 10


def test_a_proposal_never_loses_a_record_in_silence(proposed: list[Outcome]) -> None:
    assert [one.name for one in proposed if one.crash] == []
    assert [one.name for one in proposed if one.lost and not one.rejected] == []


def test_the_clean_files_feed_loads_right_or_rejects(
    folder: Path, names: list[str], tmp_path: Path
) -> None:
    outcomes = deliver_each(folder, names, tmp_path)

    assert [one.name for one in outcomes if one.lost or one.changed or one.crash] == []
    # Nothing is explained by holding everything back.
    assert sum(one.loaded > 0 for one in outcomes) >= 0.6 * len(outcomes)

"""Many byte strings looked for at once, against looking for each of them."""

from pathlib import Path

import numpy as np
import pytest

from dagster_project.core.erasure import sweeping
from dagster_project.core.erasure.finding import Traces
from dagster_project.core.erasure.needles import Needles


def piece(generator: np.random.Generator, longest: int) -> bytes:
    """Bytes of three letters, so that beginnings are often met and wholes now and then."""
    length = int(generator.integers(1, longest))
    return generator.choice([b"a", b"b", "ä".encode()], length).tobytes().replace(b"\0", b"")


@pytest.mark.parametrize("seed", range(30))
def test_all_are_found_that_stand_anywhere_and_no_others(seed: int) -> None:
    generator = np.random.default_rng(seed)
    content = b"".join(piece(generator, 200) for _ in range(40))
    cuts = generator.integers(0, len(content), 60)
    held = [content[cut : cut + int(generator.integers(1, 40))] for cut in cuts]
    wanted = [*held, content[:9], content[-9:], content[-8:], content[-3:]]
    wanted += [piece(generator, 30) for _ in range(60)] + [content + b"a"]

    found = Needles(wanted).held_by(content)

    assert found == {one for one in wanted if one in content}
    assert len(found) < len(set(wanted))


@pytest.mark.parametrize("content", [b"", b"Anna", b"Anna Lee", b"x" * 9])
def test_little_or_nothing_is_searched_too(content: bytes) -> None:
    wanted = [b"Anna", b"Anna Lee", b"Anna Lee.", b"none"]

    assert Needles(wanted).held_by(content) == {one for one in wanted if one in content}
    assert Needles([]).held_by(content) == set()


def test_what_lies_across_two_pieces_of_a_file_is_met_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "CHUNK_BYTES", 64)
    traces = Traces(
        person_keys=(),
        tokens=("2988d99727c2736fc6c407d6dc6a90bc",),
        values=("anna@example.org", "Anna L"),
        descriptions=("12 High Street",),
    )
    place = tmp_path / "logs" / "run.log"
    place.parent.mkdir()
    met = {}
    for before in range(60, 140):
        text = "." * before + "anna@example.org" + "." * 200 + "anna@example.org, 12 High Stree"
        place.write_text(text)
        met[before] = sweeping.sweep_files([tmp_path], traces)

    assert set(map(tuple, met.values())) == {((place, 1),)}

"""JSONTestSuite: what is JSON is read, what is none is refused with a reason, nothing crashes.

Each file is one document, read as the format ``json``. A document that is a list or an object is
read; a scalar is JSON too, but holds no record, and is held back for that and not as broken JSON.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dagster_project.core.declarations import Feed
from dagster_project.core.feeds.convert.documents import write_documents
from dagster_project.core.feeds.errors import HeldBackError

SUITE = Path(__file__).parents[3] / "shared" / "data" / "messy_json"
NO_RECORD = "the JSON document is neither a list nor an object"
# 95 must be accepted, 188 refused, 35 may be either; and 22 that other readers change silently.
COUNTS = {"y_": 95, "n_": 188, "i_": 35}

pytestmark = pytest.mark.skipif(
    not SUITE.is_dir(), reason="the JSON test suite is not beside the project"
)
DOCUMENTS = Feed(
    feed="documents",
    description="JSON documents.",
    sender="suite",
    template="post",
    owner="test",
    format="json",
    columns={"id": ()},
    records={"post": {"fields": {"post_id": "id"}}},
)


def named(prefix: str) -> list[Path]:
    return sorted((SUITE / "test_parsing").glob(f"{prefix}*"))


def read(path: Path, work: Path) -> tuple[list[str] | None, str | None]:
    """The document's records as lines, or the reason for which it is held back."""
    target = work / "lines"
    try:
        write_documents(path, target, DOCUMENTS)
    except HeldBackError as error:
        return None, str(error)
    return target.read_text("utf-8").splitlines(), None


@pytest.mark.parametrize("prefix", COUNTS)
def test_the_suite_is_whole(prefix: str) -> None:
    assert len(named(prefix)) == COUNTS[prefix]


@pytest.mark.parametrize("path", named("y_"), ids=lambda path: path.stem)
def test_a_document_that_is_json_is_read(path: Path, tmp_path: Path) -> None:
    document = json.loads(path.read_bytes())
    lines, reason = read(path, tmp_path)
    if isinstance(document, list):
        assert lines is not None
        assert len(lines) == len(document)
    elif isinstance(document, dict):
        assert lines is not None
        assert [json.loads(line).keys() for line in lines] == [document.keys()]
    else:
        assert reason == NO_RECORD


@pytest.mark.parametrize("path", named("n_"), ids=lambda path: path.stem)
def test_a_document_that_is_no_json_is_refused_with_a_reason(path: Path, tmp_path: Path) -> None:
    lines, reason = read(path, tmp_path)
    assert lines is None
    assert reason
    assert reason != NO_RECORD
    assert "\n" not in reason


@pytest.mark.parametrize("path", named("i_"), ids=lambda path: path.stem)
def test_a_document_that_may_be_either_does_not_crash(path: Path, tmp_path: Path) -> None:
    lines, reason = read(path, tmp_path)
    assert (lines is None) != (reason is None)


# What each document says, sign by sign, or why it is held back: nothing may be changed silently.
TRANSFORMS = {
    "number_-9223372036854775808.json": ["-9223372036854775808"],
    "number_-9223372036854775809.json": ["-9223372036854775809"],
    "number_1.0.json": ["1.0"],
    "number_1.000000000000000005.json": ["1.000000000000000005"],
    "number_1000000000000000.json": ["1000000000000000"],
    "number_10000000000000000999.json": ["10000000000000000999"],
    "number_1e-999.json": ["1E-999"],
    "number_1e6.json": ["1E6"],
    "number_9223372036854775807.json": ["9223372036854775807"],
    "number_9223372036854775808.json": ["9223372036854775808"],
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_number_keeps_every_sign(name: str, tmp_path: Path) -> None:
    lines, _ = read(SUITE / "test_transform" / name, tmp_path)
    assert [json.loads(line) for line in lines or []] == TRANSFORMS[name]


KEYS = {
    "object_key_nfc_nfd.json": [["\u00e9", "NFC"], ["e\u0301", "NFD"]],
    "object_key_nfd_nfc.json": [["e\u0301", "NFD"], ["\u00e9", "NFC"]],
    "object_same_key_different_values.json": [["a", "1"], ["a", "2"]],
    "object_same_key_same_value.json": [["a", "1"], ["a", "1"]],
    "object_same_key_unclear_values.json": [["a", "0"], ["a", "-0"]],
}


@pytest.mark.parametrize("name", KEYS)
def test_an_object_keeps_every_key(name: str, tmp_path: Path) -> None:
    lines, _ = read(SUITE / "test_transform" / name, tmp_path)
    assert lines is not None
    (pairs,) = [json.loads(line, object_pairs_hook=lambda found: found) for line in lines]
    assert [list(pair) for pair in pairs] == KEYS[name]


TEXTS = {
    "string_1_escaped_invalid_codepoint.json": "\ud800",
    "string_2_escaped_invalid_codepoints.json": "\ud800\ud800",
    "string_3_escaped_invalid_codepoints.json": "\ud800\ud800\ud800",
    "string_with_escaped_NULL.json": "A\0B",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_keeps_every_sign(name: str, tmp_path: Path) -> None:
    lines, _ = read(SUITE / "test_transform" / name, tmp_path)
    assert [json.loads(line) for line in lines or []] == [TEXTS[name]]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_bytes_that_are_no_utf8_are_told_with_their_place(number: int, tmp_path: Path) -> None:
    plural = "s" if number > 1 else ""
    name = f"string_{number}_invalid_codepoint{plural}.json"
    _, reason = read(SUITE / "test_transform" / name, tmp_path)
    assert reason == "byte 2 is not UTF-8"

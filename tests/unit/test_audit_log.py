"""The audit log: every tampering is found, and nothing that a kill leaves is taken for one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.core.audit_log import AuditVerdict, log, record, verify
from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import MasterKey

KEY = MasterKey(b"a" * 32)
KINDS = ("edit", "delete", "insert", "swap", "truncate lines", "truncate tail", "head", "cut head")
SEEDS = range(50)


def write_log(home: Home, count: int) -> None:
    """So many lines: the first says with which key the log begins."""
    for number in range(count - 1):
        record(home, KEY, "load", f"feed_{number % 3}", files=number, rows=number * 100)


def tamper(home: Home, kind: str, chance: random.Random) -> None:
    """One change to the log or its head by somebody who has no key."""
    path = log.log_path(home)
    lines = path.read_bytes().splitlines(keepends=True)
    place = chance.randrange(len(lines))
    if kind == "edit":
        told = json.loads(lines[place])
        told["actor"] += "s"
        lines[place] = json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    elif kind == "delete":
        del lines[place]
    elif kind == "insert":
        lines.insert(place, lines[chance.randrange(len(lines))])
    elif kind == "swap":
        other = (place + chance.randrange(1, len(lines))) % len(lines)
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == "truncate lines":
        del lines[-chance.randrange(1, len(lines) + 1) :]
    elif kind == "truncate tail":
        lines[-1] = lines[-1][: -chance.randrange(1, len(lines[-1]))]
    elif kind == "head":
        head = log.head_path(home)
        told = json.loads(head.read_bytes())
        told["sequence"] -= chance.randrange(1, len(lines))
        head.write_text(json.dumps(told, sort_keys=True, separators=(",", ":")) + "\n")
    else:
        log.head_path(home).unlink()
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_tampering_is_found(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    home = Home(tmp_path)
    write_log(home, chance.randrange(3, 12))
    assert verify(home, KEY).is_good

    tamper(home, KINDS[seed % len(KINDS)], chance)

    assert not verify(home, KEY).is_good
    record(home, KEY, "publish", "analyst", version=2)
    assert not verify(home, KEY).is_good, "an event behind it must not hide it"


def test_the_changed_line_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_log(home, 5)
    path = log.log_path(home)
    path.write_bytes(path.read_bytes().replace(b'"rows":100', b'"rows":101'))

    assert [one.line for one in verify(home, KEY).bad] == [3]


def test_an_untouched_log_is_good_and_says_who_did_what(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_log(home, 200)

    assert verify(home, KEY) == AuditVerdict(200, ())
    last = json.loads(log.log_path(home).read_bytes().splitlines()[-1])
    assert last["event"] == "load"
    assert last["details"] == {"files": 198, "rows": 19800}
    assert last["actor"]


def test_a_log_of_another_key_is_not_good(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_log(home, 2)

    assert not verify(home, MasterKey(b"b" * 32)).is_good


def test_an_unknown_kind_of_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no kind of event"):
        record(Home(tmp_path), KEY, "lunch", "canteen")


KILLED = """
import os, signal, sys
from pathlib import Path
from dagster_project.core.audit_log import log, record
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
log.write_head = die
record(Home(Path(sys.argv[1])), MasterKey(b"a" * 32), "publish", "analyst", version=1)
"""


@pytest.mark.parametrize("before", [0, 2, 4])
def test_a_kill_between_line_and_head_is_no_tampering(tmp_path: Path, before: int) -> None:
    home = Home(tmp_path)
    write_log(home, before)

    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        check=False,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )

    assert ended.returncode == -signal.SIGKILL
    found = verify(home, KEY)
    assert (found.is_good, found.line_count) == (True, before + 1)
    record(home, KEY, "load", "feed", files=1)
    assert verify(home, KEY) == AuditVerdict(before + 2, ())


def test_a_line_that_was_not_finished_is_cut_off_and_the_log_goes_on(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_log(home, 3)
    with log.log_path(home).open("ab") as out:
        out.write(b'{"actor":"clerk","at":"20')

    assert verify(home, KEY).is_good
    record(home, KEY, "load", "feed", files=1)
    assert verify(home, KEY) == AuditVerdict(4, ())

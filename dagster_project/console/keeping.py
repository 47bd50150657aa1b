"""Commands that keep a deployment whole: the audit log, backups, restores, keys, retention.

Belongs here: their options, and what they say. Does not: what they do (``core``). Imports stand
inside the functions: ``--help`` must not wait for a database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

DONE, FOUND = 0, 1
Parsers = argparse._SubParsersAction
Sub = Callable[[Parsers, str, str, str], argparse.ArgumentParser]

COMMANDS: dict[str, tuple[str, str]] = {
    "audit": (
        "Look through the audit log for lines that were changed, moved or taken out.",
        "tillhouse audit verify",
    ),
}


def add_commands(commands: Parsers, sub: Sub) -> None:
    """The parsers of these commands."""
    made = {name: sub(commands, name, *told) for name, told in COMMANDS.items()}
    actions = made["audit"].add_subparsers(dest="action", required=True, metavar="ACTION")
    sub(
        actions,
        "verify",
        "Whether the log is as it was written; 1 with the lines that are not.",
        "tillhouse audit verify --json",
    )


def run(chosen: argparse.Namespace) -> int:
    """Run one of these commands; its exit code."""
    name = chosen.command
    if name in {"audit", "keys"}:
        name = f"{name}_{chosen.action}"
    found: Callable[[argparse.Namespace], int] = globals()[name]
    return found(chosen)


def audit_verify(chosen: argparse.Namespace) -> int:
    """Look through the audit log; 1 where a line is not as it was written."""
    from dagster_project.console.deployment import open_home
    from dagster_project.core.audit_log import verify as look
    from dagster_project.core.keys import load_master_key

    home = open_home(chosen.home)
    found = look(home, load_master_key(home))
    bad = [{"line": one.line, "why": one.why} for one in found.bad]
    told = {"lines": found.line_count, "good": found.is_good, "bad": bad, "note": found.note}
    words = [f"{'line ' + str(one.line) if one.line else 'head'}: {one.why}" for one in found.bad]
    words.append(f"{found.line_count:,} lines, {len(found.bad) or 'none'} bad")
    words += [found.note] if found.note else []
    _say(chosen, told, "\n".join(words))
    return DONE if found.is_good else FOUND


def _say(chosen: argparse.Namespace, told: dict[str, Any], words: str) -> None:
    as_json = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(f"{as_json if chosen.json else words}\n")
    sys.stdout.flush()

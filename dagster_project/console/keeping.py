"""Commands that keep a deployment whole: the audit log, backups, restores, keys, retention.

Belongs here: their options, and what they say. Does not: what they do (``core``). Imports stand
inside the functions: ``--help`` must not wait for a database.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

DONE, FOUND = 0, 1
MIB = 1 << 20
Parsers = argparse._SubParsersAction
Sub = Callable[[Parsers, str, str, str], argparse.ArgumentParser]

COMMANDS: dict[str, tuple[str, str]] = {
    "audit": (
        "Look through the audit log for lines that were changed, moved or taken out.",
        "tillhouse audit verify",
    ),
    "backup": (
        "Back up the warehouse, the originals and the registers, encrypted and verified.",
        "tillhouse backup",
    ),
    "restore": (
        "Put a backup back, in place or into a folder of its own, after it was verified.",
        "tillhouse restore newest --into ./var-restored",
    ),
    "verify": (
        "Whether warehouse, newest backup, published files, originals and audit log can be read.",
        "tillhouse verify --all",
    ),
    "restore-drill": (
        "Restore a backup into a scratch folder, compare everything with its manifest, remove it.",
        "tillhouse restore-drill 20260131T043000000000Z",
    ),
    "retention": (
        "Remove originals, backups, versions and logs that are past their days.",
        "tillhouse retention",
    ),
    "keys": (
        "Give the home a new master key.",
        "tillhouse keys rotate",
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
    made["restore"].add_argument(
        "backup", help="its name, newest, or the path of a backup kept elsewhere"
    )
    keys = made["keys"].add_subparsers(dest="action", required=True, metavar="ACTION")
    sub(
        keys,
        "rotate",
        "Encrypt the home under a new master key, or finish doing so after it was stopped.",
        "TILLHOUSE_NEW_KEY=$(openssl rand -hex 32) tillhouse keys rotate",
    )
    made["verify"].add_argument(
        "--all", action="store_true", help="open every original (default: a sample)"
    )
    made["restore-drill"].add_argument(
        "backup", nargs="?", default="newest", help="its name (default: the newest)"
    )
    made["restore"].add_argument(
        "--into", help="an empty folder that becomes a home (default: the home itself)"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run one of these commands; its exit code."""
    name = chosen.command.replace("-", "_")
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


def backup(chosen: argparse.Namespace) -> int:
    """Make a backup."""
    from dagster_project.console.deployment import open_home, open_warehouse
    from dagster_project.core.backup import backup as make
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    with WriterLock(home).acquire() as lock:
        made = make(open_warehouse(home), lock)
    words = (
        f"backup {made.backup_id}: {made.table_count} tables, {made.rows:,} rows, "
        f"{made.original_count} originals, {made.size_bytes / MIB:,.0f} MiB "
        f"in {made.seconds:.0f} s\n{made.path}"
    )
    _say(chosen, asdict(made), words)
    return DONE


def restore(chosen: argparse.Namespace) -> int:
    """Put a backup back."""
    from dagster_project.console.deployment import open_home
    from dagster_project.core.backup import restore as put_back
    from dagster_project.core.backup import restore_into
    from dagster_project.core.home import Home
    from dagster_project.core.keys import KEY_VARIABLE, load_master_key, save_key_file
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    key = load_master_key(home)
    if chosen.into:
        target = Home(Path(chosen.into).expanduser().resolve()).create()
        done = restore_into(home, key, chosen.backup, target)
        if not target.key_file.exists() and KEY_VARIABLE not in os.environ:
            save_key_file(target, key, target.key_file)
    else:
        with WriterLock(home).acquire() as lock:
            done = put_back(home, key, chosen.backup, lock)
    words = (
        f"{done.backup_id} is back in {done.home}: {done.table_count} tables, {done.rows:,} rows, "
        f"{done.originals_back} originals, {done.erasures} erasures carried out again, "
        f"{done.seconds:.0f} s; publish or refresh to let readers see it"
    )
    _say(chosen, asdict(done), words)
    return DONE


def verify(chosen: argparse.Namespace) -> int:
    """Look at everything that is kept; 1 where something cannot be read."""
    from dagster_project.console.deployment import open_home
    from dagster_project.core.backup import verify as look
    from dagster_project.core.keys import load_master_key
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    with WriterLock(home).acquire():
        found = look(home, load_master_key(home), every_original=chosen.all)
    words = [f"{'ok' if one.is_good else 'BAD':<5}{one.what:<15}{one.said}" for one in found]
    _say(chosen, {one.what: asdict(one) for one in found}, "\n".join(words))
    return DONE if all(one.is_good for one in found) else FOUND


def restore_drill(chosen: argparse.Namespace) -> int:
    """Try a backup."""
    from dagster_project.console.deployment import open_home
    from dagster_project.core.backup import restore_drill as try_out
    from dagster_project.core.keys import load_master_key
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    with WriterLock(home).acquire():
        found = try_out(home, load_master_key(home), chosen.backup)
    words = (
        f"{found.backup_id} restored in {found.restore_seconds:.0f} s: {found.table_count} tables, "
        f"{found.rows:,} rows, {found.original_count} originals and "
        f"{len(found.reconciliations)} reconciliations as they were"
    )
    _say(chosen, asdict(found), words)
    return DONE


def retention(chosen: argparse.Namespace) -> int:
    """Remove what is past its days."""
    from dagster_project.console.deployment import check_declarations, open_home, open_warehouse
    from dagster_project.core.backup import apply_retention
    from dagster_project.core.home import load_settings
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    templates, _ = check_declarations()
    with WriterLock(home).acquire() as lock:
        done = apply_retention(open_warehouse(home), lock, load_settings(home), templates)
    told = asdict(done)
    _say(chosen, told, "\n".join(f"{name:<12}{count:>6} removed" for name, count in told.items()))
    return DONE


def keys_rotate(chosen: argparse.Namespace) -> int:
    """Rotate the master key."""
    from dagster_project.console.deployment import open_home
    from dagster_project.core.rotation import rotate
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    with WriterLock(home).acquire() as lock:
        done = rotate(home, lock)
    words = (
        f"the home opens with the key {done.new_id}, no longer with {done.old_id}: "
        f"{done.original_files} files of originals and {done.backups} backups wrapped anew"
    )
    _say(chosen, asdict(done), words)
    return DONE


def _say(chosen: argparse.Namespace, told: dict[str, Any], words: str) -> None:
    as_json = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(f"{as_json if chosen.json else words}\n")
    sys.stdout.flush()

"""Commands about one person: erase, and everything that is known of one.

Belongs here: their options, and what they say. Does not: what they do (``core.erasure``). Imports
stand inside the functions: ``--help`` must not wait for a database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.console.errors import CommandError

if TYPE_CHECKING:
    from dagster_project.core.erasure.concluding import Conclusion
    from dagster_project.core.erasure.erasing import Erasure
    from dagster_project.core.erasure.finding import Selectors
    from dagster_project.core.warehouse import Warehouse

DONE, UNFINISHED = 0, 1
Parsers = argparse._SubParsersAction
Sub = Callable[[Parsers, str, str, str], argparse.ArgumentParser]
SELECTORS = {
    "member": ("SENDER:NUMBER", "a member number, with the sender that gave it"),
    "email": ("ADDRESS", "an e-mail address, in any spelling"),
    "phone": ("NUMBER", "a phone number, best with its country: +44…"),
    "person": ("KEY", "a person's key, as the marts have it"),
}
COMMANDS: dict[str, tuple[str, str]] = {
    "erase": (
        "Erase persons from every table, file and published version, with a certificate.",
        'tillhouse erase --member lantern:M-10023 --reason "asked by letter of 4 May"',
    ),
    "subject-export": (
        "Write everything that is known of one person into a folder, as JSON and CSV.",
        "tillhouse subject-export --email kim@example.com --out ./for-kim",
    ),
}


def add_commands(commands: Parsers, sub: Sub) -> None:
    """The parsers of these commands."""
    made = {name: sub(commands, name, *told) for name, told in COMMANDS.items()}
    for parser in made.values():
        for name, (metavar, told) in SELECTORS.items():
            parser.add_argument(
                f"--{name}", action="append", default=[], metavar=metavar, help=told
            )
    erase_parser = made["erase"]
    erase_parser.add_argument("--reason", help="why, without a name: it is kept")
    erase_parser.add_argument(
        "--dry-run", action="store_true", help="only count what would be erased"
    )
    erase_parser.add_argument(
        "--again",
        action="store_true",
        help="carry out every recorded erasure once more, after one was stopped",
    )
    erase_parser.add_argument(
        "--no-refresh",
        action="store_true",
        help="leave the models to the next refresh; the certificate is then not complete",
    )
    made["subject-export"].add_argument(
        "--out", type=Path, required=True, help="a folder that does not exist yet"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run one of these commands; its exit code."""
    from dagster_project.core.suppression.register import ErasureError

    found: Callable[[argparse.Namespace], int] = globals()[chosen.command.replace("-", "_")]
    try:
        return found(chosen)
    except ErasureError as error:
        raise CommandError(str(error)) from error


def erase(chosen: argparse.Namespace) -> int:
    """Erase, build again, certify; 1 where something is still to be done."""
    from dagster_project.core.warehouse import WriterLock

    warehouse = _warehouse(chosen)
    if chosen.dry_run:
        return _show_plan(chosen, warehouse)
    with WriterLock(warehouse.home).acquire() as lock:
        erasure = _erased(chosen, warehouse, lock)
    code = DONE if chosen.no_refresh else _refresh(chosen)
    with WriterLock(warehouse.home).acquire(wait_seconds=60) as lock:
        from dagster_project.core.backup.layout import kept_backups, taken_at
        from dagster_project.core.erasure.concluding import conclude

        backups = {name: taken_at(name) for name in kept_backups(warehouse.home)}
        conclusion = conclude(warehouse, lock, erasure, backups)
    _say(chosen, _told(erasure, conclusion), _words(erasure, conclusion))
    return DONE if conclusion.is_complete and code == DONE else UNFINISHED


def _erased(chosen: argparse.Namespace, warehouse: Warehouse, lock: Any) -> Erasure:
    from dagster_project.core.erasure import erasing

    if chosen.again:
        erasure = erasing.erase_again(warehouse, lock)
        if erasure is None:
            raise CommandError("no erasure is recorded: there is nothing to do again")
        return erasure
    if not (chosen.reason or "").strip():
        raise CommandError('an erasure needs a reason: --reason "asked by letter of 4 May"')
    return erasing.erase(warehouse, lock, _selectors(chosen), reason=chosen.reason.strip())


def _refresh(chosen: argparse.Namespace) -> int:
    """The refresh that builds and publishes what is left; told on the error stream."""
    from dagster_project.console import commands

    return commands.refresh(argparse.Namespace(**vars(chosen) | {"full": False, "is_aside": True}))


def _show_plan(chosen: argparse.Namespace, warehouse: Warehouse) -> int:
    from dagster_project.core.erasure.erasing import plan
    from dagster_project.core.warehouse import WriterLock

    with WriterLock(warehouse.home).acquire():
        found = plan(warehouse, _selectors(chosen))
    lines = [f"{table:<34}{count:>10,} rows" for table, count in found.rows.items()]
    head = f"{found.person_count} persons, {found.token_count} identifiers and accounts"
    tail = f"{found.file_count} originals name them; nothing was written"
    _say(chosen, asdict(found), "\n".join([head, *lines, tail]))
    return DONE


def _told(erasure: Erasure, conclusion: Conclusion) -> dict[str, Any]:
    return {
        "erasure_id": erasure.entry.erasure_id,
        "persons": erasure.entry.person_count,
        "identifiers": len(erasure.entry.tokens),
        "erased_rows": sum(change.found for change in erasure.outcome.changes),
        "originals_destroyed": erasure.outcome.originals.dropped,
        "left": sum(one.found for one in conclusion.checked.tables),
        "is_complete": conclusion.is_complete,
        "certificate": str(conclusion.certificate),
    }


def _words(erasure: Erasure, conclusion: Conclusion) -> str:
    told = _told(erasure, conclusion)
    end = (
        "complete"
        if conclusion.is_complete
        else "not complete: run tillhouse erase --again when a refresh has gone well"
    )
    return (
        f"{told['erasure_id']}: {told['persons']} persons, {told['erased_rows']:,} rows, "
        f"{told['originals_destroyed']} originals; {told['left']} rows left; {end}\n"
        f"{conclusion.page}"
    )


def subject_export(chosen: argparse.Namespace) -> int:
    """Write everything of one person; the folder is for the owner of this process alone."""
    from dagster_project.core.erasure.exporting import export_subject
    from dagster_project.core.warehouse import WriterLock

    warehouse = _warehouse(chosen)
    with WriterLock(warehouse.home).acquire():
        found = export_subject(warehouse, _selectors(chosen), chosen.out.expanduser())
    lines = [f"{table:<40}{count:>10,} rows" for table, count in found.rows.items() if count]
    told = {"out": str(found.path), "tables": len(found.rows), "rows": found.rows}
    _say(chosen, told, "\n".join([*lines, f"{len(found.rows)} tables: {found.path}"]))
    return DONE


def _selectors(chosen: argparse.Namespace) -> Selectors:
    from dagster_project.core.erasure.finding import Selectors

    asked = (chosen.member, chosen.email, chosen.phone, chosen.person)
    return Selectors(*(tuple(one) for one in asked))


def _warehouse(chosen: argparse.Namespace) -> Warehouse:
    from dagster_project.console.deployment import check_writable, open_home

    home = open_home(chosen.home)
    if not home.warehouse.exists():
        raise CommandError(f"{home.root} has no warehouse; run refresh first")
    return check_writable(home)


def _say(chosen: argparse.Namespace, told: Any, words: str) -> None:
    as_json = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(f"{as_json if chosen.json else words}\n")

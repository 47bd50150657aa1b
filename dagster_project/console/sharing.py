"""``tillhouse share``: an extract for a partner, or whether one is as it was signed.

Belongs here: options, and what is said. Does not: what is in an extract (``core.sharing``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DONE = 0
COMMANDS: dict[str, tuple[str, str]] = {
    "share": (
        "Make a signed extract for a partner: consented customers only, generalised.",
        "tillhouse share market_research",
    ),
}
Parsers = argparse._SubParsersAction
Sub = Callable[[Parsers, str, str, str], argparse.ArgumentParser]


def add_commands(commands: Parsers, sub: Sub) -> None:
    """The command's parser."""
    made = sub(commands, "share", *COMMANDS["share"])
    what = made.add_mutually_exclusive_group(required=True)
    what.add_argument("partner", nargs="?", help="its name in audiences.yaml")
    what.add_argument("--verify", type=Path, metavar="FOLDER", help="verify a release instead")
    made.add_argument("--public-key", help="with --verify: the key the recipient was told")


def run(chosen: argparse.Namespace) -> int:
    """Make or verify a release; 0, or an error in one line."""
    return _verify(chosen) if chosen.verify else _share(chosen)


def _verify(chosen: argparse.Namespace) -> int:
    from dagster_project.core.sharing import verify

    found = verify(chosen.verify, datetime.now(UTC).date(), chosen.public_key)
    _say(chosen, dict(found), f"{chosen.verify} is as it was signed, release {found['release']}")
    return DONE


def _share(chosen: argparse.Namespace) -> int:
    from dagster_project.console.deployment import check_writable, open_home
    from dagster_project.core.sharing import share
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    warehouse = check_writable(home)
    with WriterLock(home).acquire():
        made = share(warehouse, chosen.partner, datetime.now(UTC).date())
    report = made.anonymity
    words = (
        f"release {made.release} for {made.partner}: {report.released_count} of "
        f"{report.person_count} consented customers, {report.suppressed_count} left out; each like "
        f"{report.smallest_group} or more (k), {report.fewest_values} or more values (l); "
        f"{made.sales_cell_count} weekly sums, {made.suppressed_sales_cell_count} left out\n"
        f"{made.path}"
    )
    _say(chosen, {**asdict(made), "path": str(made.path)}, words)
    return DONE


def _say(chosen: argparse.Namespace, told: dict[str, Any], words: str) -> None:
    text = json.dumps(told, ensure_ascii=False, indent=2) if chosen.json else words
    sys.stdout.write(f"{text}\n")

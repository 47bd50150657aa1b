"""``tillhouse COMMAND``: the same jobs as in the user interface, from a terminal.

Exit codes: 0 done; 1 a check or a file was held back as the policy says; 2 it could not run. What
goes wrong as foreseen is one line on the error stream.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dagster_project.console import erasing, exporting, keeping, sharing

COULD_NOT = 2
STOPPED = 130  # 128 + SIGINT, as shells count

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": (
        "Two retailers' files, a refresh, a published warehouse and a first page.",
        "tillhouse demo --stores 12 --days 365 --customers 4000 --seed 7",
    ),
    "deliver-journey": (
        "Write the real grocery year as its sender delivers it, ready to be refreshed.",
        "tillhouse deliver-journey --home ./var",
    ),
    "simulate": (
        "Write a simulated four-channel banner and the truth about it.",
        "tillhouse simulate --out ./var --stores 12 --days 90 --customers 2000 --seed 7",
    ),
    "refresh": (
        "Take in everything new, check it, build, forecast and publish.",
        "tillhouse refresh --home ./var",
    ),
    "status": (
        "What came in so far, what is published, which checks failed.",
        "tillhouse status --json",
    ),
    "feed": (
        "List feeds, propose one from samples, try files, take rejects through again.",
        "tillhouse feed check lantern_receipts receipts-2017-01.csv",
    ),
    "identity": (
        "Explain who is one person, try another rule, judge matching on labelled records.",
        "tillhouse identity explain member:10023 phone:+447700900123",
    ),
    "publish": (
        "Publish the marts as they stand, unless a blocking check has failed.",
        "tillhouse publish",
    ),
    "rollback": (
        "Put the version before the published one back in its place.",
        "tillhouse rollback",
    ),
    "ui": (
        "Open the Dagster UI of this home, reachable from this machine only.",
        "tillhouse ui --port 3000",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    chosen = parser().parse_args(arguments)
    # Everything below is imported only now: ``--help`` must not wait for a database.
    from dagster_project.console.errors import explained, told

    try:
        return _command(chosen)(chosen)
    except KeyboardInterrupt:
        print("stopped; the next refresh goes on from here", file=sys.stderr)
        return STOPPED
    except explained() as error:
        for line in told(error):
            print(f"tillhouse: {line}", file=sys.stderr)
        return COULD_NOT


def _command(chosen: argparse.Namespace) -> Callable[[argparse.Namespace], int]:
    from dagster_project.console import commands, identity

    if chosen.command == "identity":
        return identity.run
    for own in (keeping, erasing, exporting, sharing):
        if chosen.command in own.COMMANDS:
            return own.run
    name = chosen.command.replace("-", "_")
    if chosen.command == "feed":
        name = f"feed_{chosen.action}"
    found: Callable[[argparse.Namespace], int] = getattr(commands, name)
    return found


def parser() -> argparse.ArgumentParser:
    """All commands and their options; ``--home`` and ``--json`` stand before or after them."""
    top = argparse.ArgumentParser(
        "tillhouse",
        description="A retailer's customer-data warehouse.",
        epilog="first steps: tillhouse demo; tillhouse ui",
    )
    _shared(top, first=True)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = {name: _sub(commands, name, *told) for name, told in COMMANDS.items()}
    for own in (keeping, erasing, exporting, sharing):
        own.add_commands(commands, _sub)
    _simulation_options(made["demo"])
    _simulation_options(made["simulate"])
    for name in ("simulate", "deliver-journey"):
        made[name].add_argument("--out", type=Path, help="folder to write to (default: the home)")
    made["refresh"].add_argument(
        "--full", action="store_true", help="build every incremental model from the beginning"
    )
    made["rollback"].add_argument("--audience", default="analyst", help="default: analyst")
    made["ui"].add_argument("--port", type=int, default=3000, help="default: 3000")
    made["ui"].add_argument(
        "--read-only", action="store_true", help="for those who look: nothing can be started"
    )
    _feed_actions(made["feed"])
    _identity_actions(made["identity"])
    return top


def _sub(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    told: str,
    example: str,
) -> argparse.ArgumentParser:
    made = commands.add_parser(
        name,
        help=told,
        description=told,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _shared(made)
    return made


def _shared(made: argparse.ArgumentParser, *, first: bool = False) -> None:
    """Said before the command or after it; what is not said after must not undo what was before."""
    unset = None if first else argparse.SUPPRESS
    made.add_argument("--home", default=unset, help="default: TILLHOUSE_HOME, else ./var")
    made.add_argument(
        "--json",
        action="store_true",
        default=False if first else argparse.SUPPRESS,
        help="the answer as JSON on the output stream",
    )


def _simulation_options(made: argparse.ArgumentParser) -> None:
    made.add_argument("--stores", type=int, default=12, help="shops and online stores, default 12")
    made.add_argument("--days", type=int, default=365, help="days of trade, default 365")
    made.add_argument("--customers", type=int, default=4000, help="default 4000")
    made.add_argument("--seed", type=int, default=7, help="the same seed, the same files")
    made.add_argument(
        "--faults",
        choices=("none", "light", "heavy"),
        default="light",
        help="how dirty, default light",
    )


def _feed_actions(made: argparse.ArgumentParser) -> None:
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION")
    _sub(actions, "list", "Every feed with its template and waiting files.", "tillhouse feed list")
    propose = _sub(
        actions,
        "propose",
        "Write a first feed for sample files, for a person to read and correct.",
        "tillhouse feed propose export-2019-08.csv --feed corner_till --out ./feeds",
    )
    check = _sub(
        actions,
        "check",
        "What files would do, without loading them.",
        "tillhouse feed check ./feeds/corner_till/defs.yaml export-2019-08.csv",
    )
    replay = _sub(
        actions,
        "replay",
        "Take a feed's rejected rows through again, after its YAML was corrected.",
        "tillhouse feed replay lantern_receipts",
    )
    replay.add_argument("feed", help="the feed's name")
    withdraw = _sub(
        actions,
        "withdraw",
        "Take a loaded file back, as if it had never come: the way out when its figures are wrong.",
        "tillhouse feed withdraw lantern_rates rates_2018-02.csv",
    )
    withdraw.add_argument("feed", help="the feed's name")
    withdraw.add_argument("file", help="the file's name, or the beginning of its id")
    check.add_argument("feed", help="the feed's name, or the path of a feed's YAML")
    check.add_argument("file", type=Path, nargs="+", help="a file as the sender delivers it")
    propose.add_argument("file", type=Path, nargs="+", help="samples of one kind of file")
    propose.add_argument("--feed", help="the feed's name (default: from the first file's)")
    propose.add_argument("--sender", help="the source system's name (default: the feed's)")
    propose.add_argument(
        "--template", help="a shipped template, or new for one of its own (default: the likeliest)"
    )
    propose.add_argument("--out", type=Path, help="folder to write to (default: this one)")
    propose.add_argument("--force", action="store_true", help="write over what was proposed before")


def _identity_actions(made: argparse.ArgumentParser) -> None:
    actions = made.add_subparsers(dest="action", required=True, metavar="ACTION")
    explain = _sub(
        actions,
        "explain",
        "Why two identifiers are one person, or are not; nothing is shown in the clear.",
        "tillhouse identity explain member:10023 phone:+447700900123",
    )
    dry_run = _sub(
        actions,
        "dry-run",
        "What another rule would do to persons and tiers; nothing is written.",
        "tillhouse identity dry-run --hub-limit phone=5 --threshold 0.95",
    )
    evaluate = _sub(
        actions,
        "evaluate",
        "Precision, recall and F1 on labelled records: deterministic alone, and with Splink.",
        "tillhouse identity evaluate people.csv --columns columns.yaml",
    )
    explain.add_argument(
        "identifier",
        nargs=2,
        help="KIND:VALUE, KIND@SENDER:VALUE, a token's beginning, or a person's key",
    )
    dry_run.add_argument(
        "--hub-limit",
        action="append",
        default=[],
        metavar="KIND=NUMBER",
        help="most identifiers of a kind that one identifier may be seen with",
    )
    dry_run.add_argument("--threshold", type=float, help="probability from which a pair counts")
    evaluate.add_argument("file", type=Path, nargs="+", help="CSV files of one labelled set")
    evaluate.add_argument("--columns", type=Path, help="YAML: which headers say what")
    evaluate.add_argument("--country", help="ISO 3166 code of phones without a prefix")


if __name__ == "__main__":
    sys.exit(main())

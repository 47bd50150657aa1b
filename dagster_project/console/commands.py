"""One function per command: check what can be checked at once, do it, say what came of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.console.deployment import (
    check_declarations,
    check_space,
    check_writable,
    dagster_home,
    open_home,
)
from dagster_project.console.errors import CommandError
from dagster_project.core.home import PROJECT, Home

if TYPE_CHECKING:
    from dagster_project.console.running import JobRun
    from dagster_project.console.summary import Summary
    from dagster_project.core.declarations import Feed

LOOPBACK = "127.0.0.1"  # the UI has no log-in of its own
DONE = 0
NEXT = """
Next:
  open {root}/reports/overview.html
  tillhouse --home {root} ui        the graph, every check and the fans in Dagster
  tillhouse --home {root} refresh   again: nothing new, nothing changes
  duckdb -readonly {root}/published/analyst.duckdb"""


def demo(chosen: argparse.Namespace) -> int:
    """Both retailers' files into the home, then a refresh.

    The simulated sender plants files that have to be held back: that they were is no failure here.
    """
    chosen.out, chosen.full = None, False
    home = open_home(chosen.home)
    for write in (deliver_journey, simulate):
        write(_aside(chosen))
    summary = _refresh(chosen)
    if summary.failures or summary.failed_checks:
        return _end(summary)
    if not chosen.json:
        _line(NEXT.format(root=home.root))
    return DONE


def deliver_journey(chosen: argparse.Namespace) -> int:
    """Write the real sender's files."""
    from dagster_project.core.simulation import deliver_journey as deliver

    out = _out(chosen)
    count = deliver(out)
    _say(chosen, {"files": count, "out": str(out)}, f"{count} files of Journey Market under {out}")
    return DONE


def simulate(chosen: argparse.Namespace) -> int:
    """Write the simulated sender's files and the truth."""
    from dagster_project.core.simulation import simulate as run

    out = _out(chosen)
    outcome = run(
        out,
        stores=chosen.stores,
        days=chosen.days,
        customers=chosen.customers,
        seed=chosen.seed,
        faults=chosen.faults,
        on_progress=_told_of_weeks(),
    )
    told = {name: _plain(value) for name, value in asdict(outcome).items()}
    words = f"{outcome.file_count} files, {outcome.till_line_count:,} till lines of Lantern"
    _say(chosen, told, f"{words} under {out}")
    return DONE


def refresh(chosen: argparse.Namespace) -> int:
    """Run the job ``refresh`` to its end."""
    return _end(_refresh(chosen))


def _refresh(chosen: argparse.Namespace) -> Summary:
    home = open_home(chosen.home)
    _, feeds = check_declarations()
    check_writable(home)
    check_space(home, _waiting(home, feeds))
    config = {"ops": {"models": {"config": {"full_refresh": True}}}} if chosen.full else {}
    return _conclude(chosen, home, _run(chosen, home, "refresh", config))


def publish(chosen: argparse.Namespace) -> int:
    """Run the job ``publish`` to its end."""
    home = open_home(chosen.home)
    check_declarations()
    check_writable(home)
    if not home.warehouse.exists():
        raise CommandError(f"nothing to publish: {home.root} has no warehouse; run refresh first")
    return _end(_conclude(chosen, home, _run(chosen, home, "publish", {})))


def rollback(chosen: argparse.Namespace) -> int:
    """Put the version before the published one in its place."""
    from dagster_project.core.audit_log import record
    from dagster_project.core.keys import load_master_key
    from dagster_project.core.publishing import rollback as go_back
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    with WriterLock(home).acquire():
        found = go_back(home, chosen.audience)
        record(home, load_master_key(home), "rollback", chosen.audience, version=found.version)
    told = {"version": found.version, "path": str(found.path)}
    _say(chosen, told, f"version {found.version} is published again: {found.path}")
    return DONE


def status(chosen: argparse.Namespace) -> int:
    """Say what state the deployment is in."""
    from dagster_project.console.screen import screen
    from dagster_project.console.status import read_status, show_status

    found = read_status(open_home(chosen.home))
    if chosen.json:
        _say(chosen, found.as_json(), "")
    else:
        show_status(screen(), found)
    return DONE


def feed_list(chosen: argparse.Namespace) -> int:
    """Every feed, what it is and how many files wait for it."""
    from dagster_project.core.feeds import waiting_files

    home = open_home(chosen.home)
    _, feeds = check_declarations()
    rows = [
        {
            "feed": feed.feed,
            "sender": feed.sender,
            "template": feed.template,
            "waiting": len(waiting_files(home, feed)),
            "owner": feed.owner,
        }
        for feed in feeds.values()
    ]
    lines = [f"{r['feed']:<28}{r['template']:<18}{r['waiting']:>6} waiting" for r in rows]
    _say(chosen, rows, "\n".join(lines))
    return DONE


def feed_propose(chosen: argparse.Namespace) -> int:
    """Write a first feed for sample files."""
    from dagster_project.console import proposing

    return proposing.feed_propose(chosen)


def feed_check(chosen: argparse.Namespace) -> int:
    """What files would do; 1 where one, or rows of one, would be held back."""
    from dagster_project.console import proposing

    return proposing.feed_check(chosen)


def feed_replay(chosen: argparse.Namespace) -> int:
    """Take a feed's rejects through again."""
    from dagster_project.core.feeds import replay_feed
    from dagster_project.core.warehouse import WriterLock

    home = open_home(chosen.home)
    templates, feeds = check_declarations()
    feed = _feed(feeds, chosen.feed)
    warehouse = check_writable(home)
    with WriterLock(home).acquire():
        outcome = replay_feed(warehouse, feed, templates[feed.template])
    told = {name: _plain(value) for name, value in asdict(outcome).items()}
    _say(chosen, told, "\n".join(f"{name:<18}{value}" for name, value in told.items()))
    return DONE


def feed_withdraw(chosen: argparse.Namespace) -> int:
    """Take a loaded file back."""
    from dagster_project.core.warehouse import WriterLock
    from dagster_project.core.withdrawing import withdraw_file

    home = open_home(chosen.home)
    templates, feeds = check_declarations()
    _feed(feeds, chosen.feed)
    warehouse = check_writable(home)
    with WriterLock(home).acquire():
        outcome = withdraw_file(warehouse, chosen.feed, chosen.file, feeds, templates)
    words = (
        f"{outcome.file} of {outcome.feed} is withdrawn: {outcome.row_count:,} rows taken out, "
        f"{outcome.returned_count:,} records came in from files that had repeated them. "
        "The next refresh builds everything anew."
    )
    _say(chosen, asdict(outcome), words)
    return DONE


def ui(chosen: argparse.Namespace) -> int:
    """Become the Dagster UI of this home, or one in which nothing can be started or changed."""
    from dagster_project.components.reaper import reap_dead_runs
    from dagster_project.console.deployment import open_instance
    from dagster_project.core.keys import KEY_VARIABLE
    from dagster_project.core.modelling import ensure_manifest

    home = open_home(chosen.home)
    check_declarations()
    ensure_manifest(home)
    if chosen.read_only:
        os.environ.pop(KEY_VARIABLE, None)  # who only looks needs no key
    else:
        with open_instance(home) as instance:
            reap_dead_runs(instance)
    settings = {
        "DAGSTER_HOME": str(dagster_home(home)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")])),
    }
    _line(f"http://{LOOPBACK}:{chosen.port} (ctrl-c ends it)")
    viewer = ["dagster_webserver", "--read-only"]
    command = [sys.executable, "-m", *(viewer if chosen.read_only else ["dagster", "dev"])]
    command += ["--workspace", "workspace.yaml", "--host", LOOPBACK, "--port", str(chosen.port)]
    os.chdir(PROJECT)
    os.execve(sys.executable, command, os.environ | settings)  # noqa: S606 - our own interpreter


def _told_of_weeks() -> Callable[[str, int, int], None]:
    """Every tenth of the way is told on the error stream."""

    def tell(week: str, done: int, total: int) -> None:
        if done % max(1, total // 10) == 0:
            sys.stderr.write(f"{week}: {done} of {total} weeks written\n")

    return tell


def _run(chosen: argparse.Namespace, home: Home, job: str, config: dict[str, Any]) -> JobRun:
    from dagster_project.console.running import run_job
    from dagster_project.console.screen import ProgressLines, screen

    console = screen(stderr=chosen.json)
    return run_job(home, job, config=config, on_progress=ProgressLines(console))


def _conclude(chosen: argparse.Namespace, home: Home, run: JobRun) -> Summary:
    """Show what came of a run."""
    from dagster_project.console.screen import screen, show_summary
    from dagster_project.console.summary import summarise

    summary = summarise(run)
    if chosen.json:
        _say(chosen, asdict(summary), "")
    else:
        show_summary(screen(), home, summary)
    return summary


def _end(summary: Summary) -> int:
    """The exit code, with its reason in one line on the error stream."""
    from dagster_project.console.screen import last_words

    if summary.exit_code != DONE:
        sys.stderr.write(f"tillhouse: {last_words(summary)}\n")
    return summary.exit_code


def _aside(chosen: argparse.Namespace) -> argparse.Namespace:
    """The same command as a step of another, whose answer alone goes to the output stream."""
    return argparse.Namespace(**{**vars(chosen), "is_aside": True})


def _waiting(home: Home, feeds: dict[str, Feed]) -> list[Path]:
    """Every file that waits; a first refresh of empty landing folders is a mistake worth a word."""
    from dagster_project.core.feeds import waiting_files

    found = [path for feed in feeds.values() for path in waiting_files(home, feed)]
    if not found and not home.warehouse.exists():
        raise CommandError(
            f"nothing to refresh: no file waits in {home.landing}/<feed>/ and nothing has been "
            "loaded; see tillhouse feed list, or try tillhouse demo"
        )
    return found


def _feed(feeds: dict[str, Feed], name: str) -> Feed:
    if name not in feeds:
        raise CommandError(f"unknown feed {name!r}; known: {', '.join(sorted(feeds))}")
    return feeds[name]


def _out(chosen: argparse.Namespace) -> Path:
    out: Path = chosen.out or open_home(chosen.home).root
    return out.expanduser().resolve()


def _say(chosen: argparse.Namespace, told: Any, words: str) -> None:
    if getattr(chosen, "is_aside", False):
        sys.stderr.write(f"{words}\n")
    else:
        as_json = json.dumps(told, ensure_ascii=False, indent=2, default=str)
        _line(as_json if chosen.json else words)


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value

"""What a person sees: lines while it goes on, one screen at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dagster_project.console.running import Check, Progress
from dagster_project.console.status import AUDIENCE
from dagster_project.console.summary import DONE, HELD_BACK, Summary
from dagster_project.core.home import Home
from dagster_project.core.publishing import latest_publication

SAYS_EVERY_SECONDS = 2.0
WIDTH = 120
NAMED = 12  # of a long list; the rest is counted
COUNTS = ("files", "physical", "loaded", "rejected", "duplicate")


def screen(*, stderr: bool = False) -> Console:
    """A console wide enough for the tables where nobody says how wide it is."""
    console = Console(highlight=False, stderr=stderr)
    return console if console.is_terminal else Console(highlight=False, stderr=stderr, width=WIDTH)


class ProgressLines:
    """One line when a step begins or fails, and what it says meanwhile, not faster than one reads.

    Feeds begin without a line: most of them have nothing waiting.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._said = 0.0
        self._step = ""

    def __call__(self, progress: Progress) -> None:
        """Show it, or leave it out."""
        now = time.monotonic()
        is_feed = progress.step.startswith("feed__")
        if progress.kind == "began":
            self._step = progress.step
            if not is_feed:
                self._show(progress.step, "")
        elif progress.kind == "failed":
            self._show(progress.step, f"[red]{escape(progress.message)}[/red]")
        elif progress.step == self._step and now - self._said >= SAYS_EVERY_SECONDS:
            # Of a step that never began only the framework speaks: that it was left out.
            if progress.kind != "says":
                return
            self._said = now
            self._show(progress.step, f"[dim]{escape(progress.message)}[/dim]")

    def _show(self, step: str, message: str) -> None:
        seconds = time.monotonic() - self._begun
        name = step.replace("__", "/")
        self._console.print(
            f"[cyan]{seconds:6.1f} s[/cyan]  {name:<18} {message}".rstrip(),
            no_wrap=True,
            overflow="ellipsis",
        )


def show_summary(console: Console, home: Home, summary: Summary) -> None:
    """The last screen of a refresh."""
    console.print()
    _show_feeds(console, summary)
    for told in summary.held_back[:NAMED]:
        console.print(f"[yellow]held back[/yellow]  {escape(told)}")
    _rest(console, len(summary.held_back))
    _show_checks(console, summary)
    for alert in summary.alerts[:NAMED]:
        console.print(f"[yellow]alert[/yellow]      {escape(alert)}", soft_wrap=True)
    _rest(console, len(summary.alerts))
    _show_forecast(console, summary)
    _show_publication(console, home, summary)
    spent = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in summary.phases.items())
    console.print(f"[bold]Time[/bold]         {summary.seconds:.1f} s ({spent})")
    for failure in summary.failures:
        console.print(f"[red]failed[/red]     {failure.step}: {escape(failure.reason)}")


def _show_feeds(console: Console, summary: Summary) -> None:
    brought = [line for line in summary.feeds if line.files or line.held_back]
    if not brought:
        console.print("[bold]Came in[/bold]      nothing new: no file waited")
        return
    table = Table(title="Came in", title_justify="left", box=None, header_style="bold")
    table.add_column("feed")
    for name in (*COUNTS, "held back"):
        table.add_column(name, justify="right")
    for line in brought:
        counts = [f"{getattr(line, name):,}" for name in COUNTS]
        table.add_row(line.feed, *counts, str(len(line.held_back) or ""))
    total = [f"{sum(getattr(line, name) for line in brought):,}" for name in COUNTS]
    table.add_row("[bold]all[/bold]", *total, str(len(summary.held_back) or ""))
    console.print(table)
    reasons: dict[str, int] = {}
    for line in brought:
        for code, count in line.reject_reasons.items():
            reasons[code] = reasons.get(code, 0) + count
    if reasons:
        told = ", ".join(f"{code} {count:,}" for code, count in sorted(reasons.items()))
        console.print(f"[bold]Rejected[/bold]     {told}")


def _show_checks(console: Console, summary: Summary) -> None:
    passed = sum(check.has_passed for check in summary.checks)
    warned, failed = summary.warned_checks, summary.failed_checks
    counts = f"{passed} passed, {len(warned)} warned, {len(failed)} failed"
    console.print(f"[bold]Checks[/bold]       {counts}")
    _name_checks(console, "[red]failed[/red] ", failed)
    _name_checks(console, "[yellow]warned[/yellow] ", warned)


def _name_checks(console: Console, label: str, checks: list[Check]) -> None:
    for check in checks[:NAMED]:
        rows = f"{check.failed_count:,} rows"
        console.print(f"{label}    {check.table} {escape(check.name)} ({rows})")
    _rest(console, len(checks))


def _show_forecast(console: Console, summary: Summary) -> None:
    if not summary.forecast:
        return
    wape = summary.forecast.get("total wape")
    error = f", mean error of the total {wape:.1%} of sales (WAPE)" if wape is not None else ""
    console.print(f"[bold]Forecast[/bold]     {summary.forecast['series']} series{error}")


def _show_publication(console: Console, home: Home, summary: Summary) -> None:
    told = summary.publication
    if told:
        state = "new" if told["new"] else "unchanged"
        console.print(
            f"[bold]Published[/bold]    version {told['version']} ({state}: "
            f"{escape(str(told['reason']))}), {told['dagster/row_count']:,} rows"
        )
        console.print(f"             {home.root / told['file']}", soft_wrap=True)
    elif summary.exit_code != DONE:
        console.print(f"[bold]Published[/bold]    nothing; {_still_read(home)}")
    if summary.report:
        console.print(f"[bold]Page[/bold]         {home.root / summary.report}", soft_wrap=True)


def _still_read(home: Home) -> str:
    """What readers go on seeing when nothing new is published, and how old it is."""
    current = latest_publication(home, AUDIENCE)
    if current is None:
        return "there is nothing to read yet"
    age = datetime.now(UTC) - current.published_at
    return (
        f"readers go on seeing version {current.version}, {age.total_seconds() / 3600:.1f} h old, "
        f"data up to {current.data_up_to}"
    )


def _rest(console: Console, count: int) -> None:
    if count > NAMED:
        console.print(f"           … and {count - NAMED} more")


def last_words(summary: Summary) -> str:
    """One line for the error stream: what was held back, or why it could not run."""
    if summary.exit_code == HELD_BACK:
        named = [_stopping(check, summary) for check in summary.failed_checks] + summary.held_back
        named += [failure.reason for failure in summary.failures if failure.is_held_back]
        return f"held back: {_joined(named)}"
    return _joined(f"{f.step + ': ' if f.step else ''}{f.reason}" for f in summary.failures)


def _stopping(check: Check, summary: Summary) -> str:
    """A check that stopped something, with its count and whom to phone."""
    contact = summary.contacts.get(check.table, "")
    return f"{check.table} {check.name} ({check.failed_count:,} rows; {contact})"


def _joined(parts: Iterable[str]) -> str:
    told = list(parts)
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more

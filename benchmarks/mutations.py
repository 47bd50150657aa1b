"""How much damage the checks find: one corruption at a time in what the models read.

    python -m benchmarks.mutations --count 100

A simulated banner is refreshed once. Each corruption is done to a copy of its warehouse; what lies
behind the damaged table is built again, with its tests, every suite that judges or reads one of
these tables is judged, and the watched days of the stores where they can have changed. A corruption
is caught when a check fails or warns, or an alarm is raised, that did not on the good data. Prints
each one with what caught it or, for a survivor, what it changed; then a table by kind of damage.
``--against FOLDER`` counts beside it what the checks of another checkout of the project, older than
this one, would have caught of the same. Exit 1 below 80 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corruptions import Corruption, corrupt, draw, places
from benchmarks.mutation_home import Checks, Findings, Homes, new_alarms, parted, touched

BAR = 0.8


@dataclass(frozen=True)
class Trial:
    """One corruption, how many rows it changed, and the checks that found it."""

    corruption: Corruption
    rows: int
    found_by: Findings
    older: Findings  # by the older checks; none where none are compared
    reason: str = ""  # of a survivor: what it changed


class Bench:
    """What holds on the good home, against which each damage is judged."""

    def __init__(self, root: Path, seed: int, against: Path | None) -> None:
        self._homes = homes = Homes(root, seed)
        self._own = homes.checks
        # Built once more, as after each damage: what is otherwise in the next build is damage.
        refreshed = homes.contents(self._own.marts())
        failing = homes.build()
        homes.keep()
        self._before = failing | homes.judged(self._own.suites) | self._own.tested()
        self._alarms = homes.alarms()
        # A mean that is added up in another order differs in its last digit: that is no change.
        self._contents = dict(homes.contents(self._own.marts()).items() & refreshed.items())
        self._older = Checks(against, homes.damaged, root / "older") if against else None
        if self._older:
            self._older_before = homes.judged(self._older.suites) | self._older.tested()

    def draw(self, count: int, seed: int) -> list[Corruption]:
        """Corruptions of the good home's tables."""
        self._homes.restore()
        with self._homes.damaged.warehouse.connect(read_only=True) as connection:
            return draw(places(connection), count, seed)

    def tried(self, corruption: Corruption) -> Trial:
        """What finds it; nothing is to be found where no row is other than before.

        The raw suites are asked first: what they find is not built at all, but where older checks
        are compared. The suites of the marts and the alarms are asked where nobody found anything.
        """
        table = corruption.place.table
        self._homes.restore()
        with self._homes.damaged.warehouse.connect() as connection:
            rows = corrupt(connection, corruption)
        if not rows:
            return Trial(corruption, 0, frozenset(), frozenset())
        behind = self._own.behind(table)
        changed = frozenset({table, *behind})
        raw, marts = parted(touched(self._own.suites, changed))
        found = self._homes.judged(raw) - self._before
        if found and self._older is None:
            return Trial(corruption, rows, found, frozenset())
        found |= (self._homes.build(table) | self._own.tested(changed)) - self._before
        if not found:
            found = self._homes.judged(marts) - self._before
            if self._homes.is_watched(behind):
                found |= new_alarms(self._alarms, self._homes.alarms())
        reason = "" if found else self._reason(behind)
        return Trial(corruption, rows, found, self._found_earlier(changed), reason)

    def _found_earlier(self, changed: frozenset[str]) -> Findings:
        if self._older is None:
            return frozenset()
        tests = self._older.tested(changed)
        judged = self._homes.judged(touched(self._older.suites, changed))
        return (tests | judged) - self._older_before

    def _reason(self, behind: dict[str, bool]) -> str:
        now = self._homes.contents(name for name, is_read in behind.items() if is_read)
        changed = sorted(name for name in now if now[name] != self._contents.get(name, now[name]))
        if not changed:
            return "no table that anybody reads changed"
        return f"changed {len(changed)} marts ({', '.join(changed[:3])}), no check looks at it"


def show(number: int, trial: Trial) -> None:
    """One line of a trial."""
    by = ", ".join(sorted(trial.found_by)[:3]) or f"SURVIVED, {trial.reason}"
    more = f" and {len(trial.found_by) - 3} more" if len(trial.found_by) > 3 else ""
    print(f"{number:3} {trial.corruption}, {trial.rows:,} rows: {by}{more}", flush=True)


def summed_up(trials: Sequence[Trial], against: Path | None) -> None:
    """Caught and tried by kind of damage, and in all; beside it by the older checks."""
    kinds = sorted({trial.corruption.name for trial in trials})
    print(f"\n{'damage':16}{'tried':>7}{'caught':>8}{'older checks' if against else '':>14}")
    for kind in (*kinds, None):
        own = [trial for trial in trials if kind in (None, trial.corruption.name)]
        caught = sum(bool(trial.found_by) for trial in own)
        older = f"{sum(bool(trial.older) for trial in own):14}" if against else ""
        print(f"{kind or 'in all':16}{len(own):7}{caught:8}{older}")
    survivors = [trial for trial in trials if not trial.found_by]
    print(f"\n{len(survivors)} survived")
    for trial in survivors:
        print(f"  {trial.corruption}, {trial.rows:,} rows: {trial.reason}")


def main() -> int:
    """Exit 0 when at least four of five corruptions were caught."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another checkout whose checks are compared")
    chosen = parser.parse_args()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as root:
        bench = Bench(Path(root), chosen.seed, chosen.against)
        # Some change nothing (a column that is stuck already), so there are spare ones.
        for corruption in bench.draw(2 * chosen.count, chosen.seed):
            trial = bench.tried(corruption)
            if trial.rows:
                trials.append(trial)
                show(len(trials), trial)
            if len(trials) == chosen.count:
                break
    summed_up(trials, chosen.against)
    share = sum(bool(trial.found_by) for trial in trials) / len(trials)
    print(f"caught {share:.0%} of {len(trials)}")
    return 0 if share >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())

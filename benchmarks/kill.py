"""kill -9 at random moments of whole refreshes, each run again to its end and compared.

    python -m benchmarks.kill --trials 20

A small simulated banner is delivered, refreshed once undisturbed, and then once per trial in a home
of its own with everything the refresh started killed at a random moment. Raw rows, marts and
customers must equal the undisturbed ones. The loader that commits rows and ledger apart must fail.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from dagster_project.core.home import PROJECT
from dagster_project.core.simulation import simulate

HARNESS = PROJECT / "tests" / "pipeline" / "kill_harness.py"


def main() -> int:
    """Exit 0 when every trial equals the clean build and the naive loader does not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--days", type=int, default=21)
    chosen = parser.parse_args()
    trials = ["--trials", str(chosen.trials)]
    with tempfile.TemporaryDirectory() as work:
        simulate(
            Path(work), stores=4, days=chosen.days, customers=200, seed=3, faults="light",
            start=date(2017, 1, 1),
        )  # fmt: skip
        command = [sys.executable, "-m", "dagster_project.cli", "refresh", "--home", "{home}"]
        refreshed = subprocess.run(
            [sys.executable, str(HARNESS), *trials, "--deliveries", work, "--", *command],
            check=False,
        )
    naive = subprocess.run([sys.executable, str(HARNESS), *trials, "--naive"], check=False)
    print(f"the naive loader {'fails' if naive.returncode else 'SURVIVES'} the same harness")
    return 0 if refreshed.returncode == 0 and naive.returncode else 1


if __name__ == "__main__":
    sys.exit(main())

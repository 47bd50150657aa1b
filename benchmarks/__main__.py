"""Every measurement in turn, each in processes of its own: `make bench`.

Needs a refreshed home (`make demo`) for the figures on the real grocery year. Names given on the
command line choose some of them; docs/benchmarks.md keeps the last figures.
"""

from __future__ import annotations

import os
import subprocess
import sys

PYTHON = sys.executable
HOME = os.environ.get("TILLHOUSE_HOME", "var")
# One thread each for the linear algebra of small fits: two cores, and other processes beside them.
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

COMMANDS: dict[str, list[str]] = {
    "journey": [PYTHON, "-m", "benchmarks.journey", "--home", HOME],
    "loading-2M": [PYTHON, "-m", "benchmarks.loading", "--rows", "2000000"],
    "loading-10M": [PYTHON, "-m", "benchmarks.loading", "--rows", "10000000", "--times", "1"],
    "small-files": [PYTHON, "-m", "benchmarks.small_files"],
    "refresh-2M": [PYTHON, "-m", "benchmarks.refresh", "2M"],
    "refresh-10M": [PYTHON, "-m", "benchmarks.refresh", "10M"],
    "delta": [PYTHON, "-m", "benchmarks.delta"],
    "readers": [PYTHON, "-m", "benchmarks.readers", "--home", HOME, "--publications", "10"],
    "publishing": [PYTHON, "-m", "benchmarks.publishing", "--gigabytes", "1"],
    "canaries": [PYTHON, "-m", "benchmarks.canaries", "--seeds", "20"],
    "expectations": [PYTHON, "-m", "benchmarks.expectations"],
    "checks": [PYTHON, "-m", "benchmarks.checks", "10M"],
    "mutations": [PYTHON, "-m", "benchmarks.mutations", "--count", "100"],
    "anomalies": [PYTHON, "-m", "benchmarks.anomalies", "--seeds", "5"],
    "arrival": [PYTHON, "-m", "benchmarks.arrival", "--home", HOME],
    "forecast": [PYTHON, "-m", "benchmarks.forecast"],
    "posterior": [PYTHON, "-m", "benchmarks.posterior"],
    "replenishment": [PYTHON, "-m", "benchmarks.replenishment"],
    "pollock": [PYTHON, "-m", "benchmarks.pollock"],
    "hostile": [PYTHON, "-m", "benchmarks.hostile", "--files", "500"],
    "redelivery": [PYTHON, "-m", "benchmarks.redelivery"],
    "identity": [PYTHON, "-m", "benchmarks.identity"],
    "restore": [PYTHON, "-m", "benchmarks.restore", "--megabytes", "1000"],
    "kill": [PYTHON, "-m", "benchmarks.kill", "--trials", "20"],
}


def main(names: list[str]) -> int:
    """Run the named measurements, all without names; 1 when one of them says that it failed."""
    if unknown := [name for name in names if name not in COMMANDS]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(COMMANDS)}")
        return 2
    failed = []
    for name in names or COMMANDS:
        print(f"\n== {name}: {' '.join(['python', *COMMANDS[name][1:]])}", flush=True)
        if subprocess.run(COMMANDS[name], check=False, env=os.environ | SINGLE).returncode:
            failed.append(name)
    print(f"\nfailed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

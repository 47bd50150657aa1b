"""Seconds of loading the same rows as 10,000 small files and as 100 files, in the same run.

    python -m benchmarks.small_files --rows 200000 --many 10000 --few 100

Prints the best of each and their ratio (design: at most 1.5). Each file of either kind is hashed,
encrypted into the landing store, entered into the ledger and removed from the landing folder.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.loading import load_with_everything, make_files, measured


def main() -> None:
    """Measure both ways alternately."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--times", type=int, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        best: dict[int, dict[str, float]] = {}
        for files in (chosen.few, chosen.many):
            make_files(work / str(files), chosen.rows, files)
        for _ in range(chosen.times):
            for files in (chosen.few, chosen.many):
                run = measured(load_with_everything, work / str(files), work)
                if files not in best or run["seconds"] < best[files]["seconds"]:
                    best[files] = run
    for files, run in best.items():
        print(
            f"{files:>7,} files {run['seconds']:>8.2f} s {run['cpu']:>8.2f} s of CPU "
            f"{run['seconds'] / files * 1000:>8.2f} ms a file"
        )
    many, few = best[chosen.many], best[chosen.few]
    ratio, of_cpu = (many[what] / few[what] for what in ("seconds", "cpu"))
    print(f"ratio {ratio:.2f} (at most 1.50 wanted), of CPU {of_cpu:.2f}")


if __name__ == "__main__":
    main()

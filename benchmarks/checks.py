"""What the whole check set costs of a refresh: suites, the models' tests, anomalies and grades.

    python -m benchmarks.checks 10M

A simulated banner is refreshed by one process, everything for the first time. Then each kind of
check is run on its home once more, in a process of its own, as if nothing had been judged. CPU
seconds of whole processes, imports included. Exit 1 above a quarter of the refresh.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.refresh import SCALES, Run, dbt_alone, run, tillhouse
from dagster_project.core.home import EXPECTATIONS, PACKAGE, Home

BAR = 0.25
JUDGED = {
    "suites": f"""
from dagster_project.core.quality import load_suites, run_suites
print(len(run_suites(warehouse, load_suites(Path({str(EXPECTATIONS)!r})))))
""",
    "anomalies and grades": f"""
from datetime import date
from dagster_project.core import anomalies, grading
watch = anomalies.load_watch(Path({str(PACKAGE / "anomalies.yaml")!r}))
with warehouse.connect() as connection:
    since, through = anomalies.days_to_judge(connection, watch, None, date.today())
    verdicts = anomalies.judge_all(connection, watch, through, since)
    anomalies.record_verdicts(connection, "bench", verdicts)
    print(grading.grade_store_days(connection, since, through))
""",
}
OPENED = """
from pathlib import Path
from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.warehouse import Warehouse
home = Home(Path({root!r}))
warehouse = Warehouse(home, load_master_key(home))
"""


def judged(root: Path, code: str) -> Run:
    """One kind of check in a process of its own."""
    return run([sys.executable, "-c", OPENED.format(root=str(root)) + code])


def main() -> int:
    """Exit 0 when the checks cost at most a quarter of the refresh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scale", choices=SCALES)
    parser.add_argument("--root", type=Path, help="where the home is made; a temporary folder")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.root, prefix="bench-") as directory:
        root = Path(directory)
        tillhouse(root, "simulate", *SCALES[chosen.scale], "--seed", "7", "--faults", "light")
        whole = tillhouse(root, "--json", "refresh")
        phases = json.loads(whole.output)["phases"]
        print(f"refresh {whole.seconds:.0f} s, {whole.cpu_seconds:.0f} CPU s: {phases}", flush=True)
        spent = {}
        for name, code in JUDGED.items():
            spent[name] = judged(root, code)
        spent["tests of the models"] = dbt_alone(Home(root), "test")
        for name, one in spent.items():
            share = one.cpu_seconds / whole.cpu_seconds
            print(f"{name:24}{one.cpu_seconds:8.1f} CPU s {share:7.1%}  {one.output.strip()[:60]}")
    total = sum(one.cpu_seconds for one in spent.values())
    share = total / whole.cpu_seconds
    print(f"{'all':24}{total:8.1f} CPU s {share:7.1%} of the refresh ({BAR:.0%} allowed)")
    return int(share > BAR)


if __name__ == "__main__":
    sys.exit(main())

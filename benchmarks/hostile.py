"""Damaged files by kind and outcome: what is lost or changed without a word must be nothing.

    python -m benchmarks.hostile --files 500

Clean files of four templates with Chinese and Persian text are damaged in every way that
``tests/pipeline/hostile/polluter.py`` knows, and delivered. Prints, per kind of damage, how many
files were loaded whole, loaded with rejects or held back, and the records lost, changed or made up
silently. Exit 1 when there is one, or a reject that does not begin where it says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from dagster_project.core.declarations import Feed, load_templates
from dagster_project.core.feeds import create_raw_tables
from dagster_project.core.home import PROJECT, TEMPLATES, Home
from dagster_project.core.warehouse import Warehouse

sys.path.insert(0, str(PROJECT))

from tests.conftest import TEST_KEY, Bench
from tests.pipeline.hostile.clean_files import KINDS as FILES
from tests.pipeline.hostile.judging import (
    Judged,
    clean_rows,
    damage,
    fits,
    judge_all,
)
from tests.pipeline.hostile.polluter import KINDS


def damaged_and_judged(warehouse: Warehouse, file: str, seeds: range) -> list[Judged]:
    """Every kind of damage that fits a kind of file, once per seed, loaded and judged."""
    templates = load_templates(TEMPLATES)

    def bench(name: str) -> Bench:
        feed = Feed(**FILES[file].declared(name))
        return Bench(warehouse, feed, templates[feed.template])

    clean = clean_rows(bench(f"clean_{file}"), file)
    delivered = [
        damage(file, kind, seed, f"{number:02d}x{seed:04d}")
        for number, kind in enumerate(KINDS)
        if fits(file, kind)
        for seed in seeds
    ]
    return judge_all(bench(file), clean, delivered)


def table(judged: list[Judged]) -> list[str]:
    """One line per kind of damage, and one for all."""
    by_kind: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_kind[one.one.kind].append(one)
    lines = [f"{'kind':<26}{'files':>6}{'whole':>7}{'rejects':>9}{'held':>6}{'wrong':>7}"]
    for kind, some in [*by_kind.items(), ("all", judged)]:
        held = sum(one.status == "quarantined" for one in some)
        rejects = sum(one.status != "quarantined" and one.rejected > 0 for one in some)
        wrong = sum(
            one.lost + one.changed + one.invented + one.misplaced + one.unbalanced for one in some
        )
        whole = len(some) - held - rejects
        lines.append(f"{kind:<26}{len(some):>6}{whole:>7}{rejects:>9}{held:>6}{wrong:>7}")
    return lines


def main() -> int:
    """Exit 0 when nothing was lost, changed, made up or misplaced."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=500)
    chosen = parser.parse_args()
    kinds = sum(fits(file, kind) for file in FILES for kind in KINDS)
    seeds = range(2, 2 + max(1, round(chosen.files / kinds)))
    with tempfile.TemporaryDirectory() as work:
        warehouse = Warehouse(Home(Path(work) / "home").create(), TEST_KEY)
        warehouse.create()
        with warehouse.connect() as connection:
            create_raw_tables(connection, load_templates(TEMPLATES))
        judged = [one for file in FILES for one in damaged_and_judged(warehouse, file, seeds)]
    print("\n".join(table(judged)))
    bad = [one for one in judged if not one.is_honest]
    for one in bad:
        print(f"  {one.one.file}, {one.one.kind}, seed {one.one.prefix}: {one.status}, "
              f"{one.lost} lost, {one.changed} changed, {one.invented} made up")  # fmt: skip
    print(f"silently lost or changed: {sum(one.lost + one.changed + one.invented for one in bad)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

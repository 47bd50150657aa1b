"""Polluted files against their clean ones: proposed and loaded, and loaded by the clean one's feed.

    python -m benchmarks.pollock --data FOLDER

FOLDER holds ``polluted_files.tar.xz`` or, unpacked, ``csv``, ``clean`` and ``parameters``;
``pollock_weights.json`` beside it weighs the files. A file scores 0 to 10: loaded at all, then
precision, recall and F1 of header cells, of records and of cells, as multisets, compared after
bringing numbers, days and blanks to one spelling. Exit 1 where a record was lost or changed without
a word, or a file crashed the loader.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import tarfile
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from benchmarks.pollock_score import Clean, Row, read_clean, score
from dagster_project.core.declarations import (
    Classification,
    DeclarationError,
    Feed,
    FieldType,
    Template,
    TemplateField,
    Treatment,
)
from dagster_project.core.feeds.arrive import claim_files
from dagster_project.core.feeds.errors import LoadError, one_line_errors
from dagster_project.core.feeds.job import job
from dagster_project.core.feeds.load import Loader, Tally
from dagster_project.core.home import Home
from dagster_project.core.keys import MasterKey
from dagster_project.core.proposing import ProposingError, propose
from dagster_project.core.proposing.own_template import OCCURRENCE
from dagster_project.core.proposing.rehearsal import propose_and_check, write_proposal
from dagster_project.core.warehouse import Warehouse

KEY = MasterKey(b"p" * 32)
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "messy_pollock"
SOURCE = "source.csv"  # the clean file as its sender writes it


@dataclass
class Outcome:
    """What became of one file."""

    name: str
    score: float = 0.0
    clean: int = 0
    loaded: int = 0
    rejected: int = 0
    lost: int = 0  # clean records neither loaded nor among as many rejects
    changed: int = 0  # loaded records that neither the clean nor the delivered file has
    reason: str = ""  # why the whole file was held back
    crash: str = ""


class Trial:
    """A scratch warehouse, open all the while, into which every file is loaded by itself."""

    def __init__(self, root: Path, connection: duckdb.DuckDBPyConnection, home: Home) -> None:
        self.root = root
        self.home = home
        self._connection = connection

    def take_in(self, path: Path, feed: Feed, template: Template) -> tuple[list[Row], int, str]:
        """Load one file; its raw rows, how many records were rejected, why it was held back."""
        landing = self.home.landing / feed.feed
        landing.mkdir(parents=True, exist_ok=True)
        target = landing / path.name
        target.write_bytes(path.read_bytes())
        os.utime(target, (0, 0))  # a feed waits until a file's time is old enough
        tally = Tally(feed.feed)
        with one_line_errors(feed.feed):
            for statement in template.ddl():
                self._connection.execute(statement)
            one_job = job(self._connection, self.home, KEY, feed, template)
            Loader(one_job, tally).load(claim_files(self.home, feed))
            rows = _rows(self._connection, feed, template)
        told = tally.outcome()
        reason = told.quarantined[0][1] if told.quarantined else ""
        accounted = told.loaded_count + told.rejected_count + told.duplicate_count
        if told.physical_count != accounted:
            raise LoadError(f"{told.physical_count} physical records, {accounted} accounted for")
        return rows, told.rejected_count, reason


@contextmanager
def trial(root: Path) -> Iterator[Trial]:
    """A trial in a warehouse of its own."""
    warehouse = Warehouse(Home(root / "home").create(), KEY)
    warehouse.create()
    with warehouse.connect() as connection:
        yield Trial(root, connection, warehouse.home)


def _rows(connection: duckdb.DuckDBPyConnection, feed: Feed, template: Template) -> list[Row]:
    """The feed's rows in file order, one text per column of the sender."""
    ((name, mapped),) = feed.records.items()
    fields = [one for one in mapped.fields if one != OCCURRENCE]
    columns = ", ".join(f"cast({one} as varchar)" for one in fields)
    return connection.execute(
        f"select {columns} from raw.{template.table(name)} where _feed = ? order by _record_number",
        [feed.feed],
    ).fetchall()


def lifted(template: Template) -> Template:
    """The template without protection: the score is of reading, and tokens cannot be compared."""
    records = {
        name: record.model_copy(
            update={"fields": {one: _bare(told) for one, told in record.fields.items()}}
        )
        for name, record in template.records.items()
    }
    return template.model_copy(update={"records": records})


def _bare(told: TemplateField) -> TemplateField:
    protected = {FieldType.PHONE, FieldType.EMAIL, FieldType.CARD_NUMBER}
    return told.model_copy(
        update={
            "type": FieldType.TEXT if told.type in protected else told.type,
            "classification": Classification.INTERNAL,
            "treatment": Treatment.KEEP,
            "token_domain": None,
        }
    )


def judged(outcome: Outcome, clean: Clean, rows: list[Row], held: list[Row]) -> Outcome:
    """The outcome with what was lost or changed without a word.

    What the delivered file ``held`` beside the clean records, a second table say, may be loaded.
    """
    spelled = clean.spelled()
    wanted, got = Counter(spelled.rows(clean.rows)), Counter(spelled.rows(rows))
    missing = (wanted - got).total()
    return replace(
        outcome,
        clean=len(clean.rows),
        loaded=len(rows),
        lost=0 if outcome.reason else max(0, missing - outcome.rejected),
        changed=(got - wanted - Counter(held)).total(),
    )


def propose_each(folder: Path, names: list[str], root: Path) -> list[Outcome]:
    """Each file proposed by itself, without a word on its dialect, and loaded accordingly."""
    with trial(root) as bench:
        return [_proposed(bench, folder, name, number) for number, name in enumerate(names)]


def _proposed(bench: Trial, folder: Path, name: str, number: int) -> Outcome:
    outcome, clean = Outcome(name), read_clean(folder, name)
    path = folder / "csv" / name
    feed = f"f{number}"
    try:
        proposal = propose([path], {}, feed=feed, template="new")
        declared, template = write_proposal(proposal, bench.root / "feeds", {})
        rows, outcome.rejected, outcome.reason = bench.take_in(path, declared, lifted(template))
        if outcome.reason:  # the rehearsal says how many rejects its own sample needs
            feed = f"{feed}_again"
            proposal, _ = propose_and_check(
                [path], {}, bench.home, bench.root / "feeds", feed=feed, template="new"
            )
            declared, template = write_proposal(proposal, bench.root / "feeds", {})
            found = bench.take_in(path, declared, lifted(template))
            rows, outcome.rejected, outcome.reason = found
    except ProposingError as error:
        return replace(outcome, reason=str(error), clean=len(clean.rows))
    except (DeclarationError, LoadError) as error:
        return replace(outcome, crash=str(error))
    if not outcome.reason:
        outcome.score = score(clean, [one for one in proposal.sender_names if one], rows)
    return judged(outcome, clean, rows, [])


def deliver_each(folder: Path, names: list[str], root: Path) -> list[Outcome]:
    """Each file delivered to the feed of the clean source, as if its sender had sent it."""
    with trial(root) as bench:
        proposal = propose([folder / "csv" / SOURCE], {}, feed="source", template="new")
        feed, template = write_proposal(proposal, root / "feeds", {})
        return [
            _delivered(bench, folder, name, _apart(feed, number), lifted(template))
            for number, name in enumerate(names)
        ]


def _apart(feed: Feed, number: int) -> Feed:
    """A sender of its own for each file: what one holds must not make another's rows known."""
    return feed.model_copy(update={"feed": f"f{number}", "sender": f"s{number}", "files": "*"})


def _delivered(bench: Trial, folder: Path, name: str, feed: Feed, template: Template) -> Outcome:
    outcome, clean = Outcome(name), read_clean(folder, name)
    try:
        found = bench.take_in(folder / "csv" / name, feed, template)
    except LoadError as error:
        return replace(outcome, crash=str(error))
    rows, outcome.rejected, outcome.reason = found
    with (folder / "csv" / name).open(newline="", encoding="utf-8") as handle:
        held = clean.spelled().rows(csv.reader(handle))
    return judged(outcome, clean, rows, held)


def kind_of_damage(name: str) -> str:
    """A file's name without the place of the damage: ``row_more_sep``."""
    if name.startswith("row_"):
        return re.sub(r"(?:_row|_)?\d+_?(?:col\d+|0x[0-9A-Fa-f]+)?\.csv$", "", name)
    return name.removesuffix(".csv")


def weighted(outcomes: list[Outcome], weights: dict[str, float]) -> float:
    """The mean score, each file as heavy as its kind is frequent in open data."""
    chosen = [(weights.get(one.name, 0.0), one.score) for one in outcomes]
    total = sum(weight for weight, _ in chosen)
    return sum(weight * value for weight, value in chosen) / total if total else 0.0


def show(outcomes: list[Outcome], weights: dict[str, float]) -> Iterator[str]:
    """The worst kinds of damage first, then the figures that count."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        groups[kind_of_damage(one.name)].append(one)
    titles = ("files", "score", "held", "rejects", "lost", "changed")
    yield f"{'damage':<34}" + "".join(f"{title:>9}" for title in titles)
    means = {kind: sum(o.score for o in group) / len(group) for kind, group in groups.items()}
    for kind in sorted(groups, key=lambda k: means[k]):
        group = groups[kind]
        held, rejects = sum(bool(o.reason) for o in group), sum(o.rejected for o in group)
        yield (
            f"{kind:<34}{len(group):>9}{means[kind]:>9.3f}{held:>9}{rejects:>9}"
            f"{sum(o.lost for o in group):>9}{sum(o.changed for o in group):>9}"
        )
    if weights and any(one.score for one in outcomes):
        simple = sum(one.score for one in outcomes) / len(outcomes)
        yield f"simple {simple:.3f}   weighted {weighted(outcomes, weights):.3f}"


def verdict(outcomes: list[Outcome]) -> str:
    """Records lost or changed without a word, files that lack rows in silence, crashes."""
    silent = sum(o.lost > 0 and not o.rejected and not o.reason for o in outcomes)
    lost, changed = sum(o.lost for o in outcomes), sum(o.changed for o in outcomes)
    crashes = [o for o in outcomes if o.crash]
    told = "".join(f"\n  {one.name}: {one.crash}" for one in crashes[:5])
    return (
        f"{len(outcomes)} files: {lost} records lost, {changed} changed, "
        f"{silent} files accepted with rows missing and no reject, {len(crashes)} crashes{told}"
    )


def opened(data: Path, scratch: Path) -> Path:
    """The folder that holds ``csv`` and ``clean``, unpacked into scratch where it is an archive."""
    if (data / "csv").is_dir():
        return data
    with tarfile.open(data / "polluted_files.tar.xz") as archive:
        archive.extractall(scratch, filter="data")
    return next(path.parent for path in sorted(scratch.rglob("csv")) if path.is_dir())


def read_weights(data: Path) -> dict[str, float]:
    """Weight by file name; none where the set has no weights."""
    path = data / "pollock_weights.json"
    found: dict[str, float] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


RUNS = {"proposed": propose_each, "delivered": deliver_each}


def main() -> int:
    """Exit 0 when nothing was lost, changed or crashed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", default="*.csv", help="pattern of file names")
    parser.add_argument("--run", choices=RUNS, help="one of the two; both without it")
    parser.add_argument("--out", type=Path, help="outcomes as JSON lines")
    chosen = parser.parse_args()
    # Thousands of small commits would wait for a disk: in memory, where the machine has some.
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="pollock-", dir=place) as scratch:
        root = Path(scratch)
        folder = opened(chosen.data, root / "data")
        names = sorted(path.name for path in (folder / "csv").glob(chosen.only))
        weights = read_weights(chosen.data)
        told = []
        for title, run in RUNS.items():
            if chosen.run not in {None, title}:
                continue
            begun = time.perf_counter()
            outcomes = run(folder, names, root / title)
            seconds = time.perf_counter() - begun
            print(f"\n{title}, {seconds:.0f} s")
            print("\n".join(show(outcomes, weights if title == "proposed" else {})))
            print(verdict(outcomes), flush=True)
            told += [(title, one) for one in outcomes]
    if chosen.out:
        lines = [json.dumps({"run": title} | vars(one)) for title, one in told]
        chosen.out.write_text("\n".join(lines) + "\n", "utf-8")
    return 1 if any(one.lost or one.changed or one.crash for _, one in told) else 0


if __name__ == "__main__":
    sys.exit(main())

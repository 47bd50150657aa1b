"""Canaries through the whole of a refresh, in a copy of the project that has a feed for each.

Belongs here: making the home, running the commands, which canary may stand where. Does not: the
search itself (``searching``).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.core.declarations import Classification, Treatment, load_templates
from dagster_project.core.home import PROJECT, TEMPLATES, Home
from dagster_project.core.keys import KEY_VARIABLE, MasterKey
from dagster_project.core.simulation import simulate
from dagster_project.core.warehouse import Warehouse
from tests.privacy.canary_values import Canaries, canaries, key_forms, own_token
from tests.privacy.made_feeds import Swept, deliver, is_guarded, swept
from tests.privacy.searching import Haystack, Hit, Needle, needle, search_duckdb, search_files
from tests.privacy.searching import search_sqlite as search_history

COPIED = ("dagster_project", "dbt_project", "expectations", "pyproject.toml", "workspace.yaml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "logs", "*.pyc")
VAULT = "private: vault."
PRIVATE = "private: "
# Commands whose output is searched too; those of which there is more are added where they work.
COMMANDS = (
    ("refresh", "--json"),
    ("status", "--json"),
    ("feed", "list"),
    ("backup",),
    ("audit", "verify"),
)


@dataclass(frozen=True)
class Outcome:
    """What a sweep saw: how much was searched, and every canary that stands where it may not."""

    seeds: int
    needles: int
    columns: dict[str, int]
    file_bytes: int
    defects: list[Hit]
    vault_labels: int  # personal canaries found in the vault: the search does find
    exit_codes: dict[str, int] = field(default_factory=dict)

    def by_place(self) -> dict[str, int]:
        """Defects counted by place and group of canary."""
        counted = Counter(f"{hit.place} [{hit.label.split('/')[0]}]" for hit in self.defects)
        return dict(counted.most_common())


def needles(one: Canaries, made: list[Swept]) -> Iterator[Needle]:
    """Everything of a seed to look for; the first part of a label says where it may stand."""
    for text, kind in one.personal.items():
        # An address that no field keeps may not even stand in the vault.
        yield needle(f"{'secret' if kind == 'ip' else 'personal'}/{kind}/{one.seed}", text)
    for text in one.cards:
        yield needle(f"card/{len(text)}/{one.seed}", text, is_card=True)
    for text, kind in one.secrets.items():
        yield needle(f"secret/{kind}/{one.seed}", text)
    yield needle(f"text/person/{one.seed}", own_token(one, "text"))
    told: dict[str, str] = {}
    for record in (one_made.record for one_made in made):
        for name, declared in record.fields.items():
            if is_guarded(declared) and declared.treatment is not Treatment.SCAN:
                told[declared.token_domain or name.rpartition("card_")[2]] = _group(declared)
    for domain, group in told.items():
        yield needle(f"{group}/{domain}/{one.seed}", own_token(one, domain))


def _group(declared: object) -> str:
    """Where a guarded field's value may stand: the vault, anywhere in the private file, nowhere."""
    if declared.treatment is Treatment.KEEP:
        return "kept"
    if declared.treatment is Treatment.DROP or declared.classification is Classification.CARD:
        return "secret"
    return "personal"


def is_allowed(hit: Hit) -> bool:
    """Whether a canary may stand there.

    Clear personal values in the vault; what templates keep by declaration, sensitive codes and
    free text, in the private file; cards, secrets and keys nowhere.
    """
    group = hit.label.split("/")[0]
    if group == "personal":
        return hit.place.startswith(VAULT)
    return group in {"kept", "text"} and hit.place.startswith(PRIVATE)


def copy_of_the_project(target: Path, made: list[Swept]) -> Path:
    """The project with a feed for every swept record beside its own."""
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=LEFT_OUT)
        else:
            shutil.copyfile(source, target / name)
    for one in made:
        folder = target / "dagster_project" / "defs" / "feeds" / one.feed
        folder.mkdir()
        (folder / "defs.yaml").write_text(one.declared(), "utf-8")
    return target


def run(project: Path, home: Home, key: MasterKey, *command: str) -> int:
    """One command on the home, with the key in its environment; its output goes to a log there."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TILLHOUSE", "DAGSTER"))}
    log = home.root / "command_logs"
    log.mkdir(exist_ok=True)
    with (log / f"{'-'.join(command).replace('--', '')}.log").open("wb") as out:
        return subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", "--home", str(home.root), *command],
            check=False,
            cwd=project,
            env=inherited | {"PYTHONPATH": str(project), KEY_VARIABLE: key.secret.hex()},
            stdout=out,
            stderr=subprocess.STDOUT,
        ).returncode


def fill(root: Path, seeds: range) -> tuple[Home, MasterKey, dict[str, int]]:
    """A home after a refresh of a small banner and all canaries; exit codes by command."""
    made = swept(load_templates(TEMPLATES))
    project = copy_of_the_project(root / "project", made)
    home = Home(root / "home").create()
    simulate(home.root, stores=3, days=14, customers=60, seed=11, faults="none")
    for seed in seeds:
        for one in made:
            deliver(canaries(seed), one, home.landing)
    key = MasterKey(bytes.fromhex(f"{seeds.start:02x}c0ffee" * 8))
    codes = {" ".join(command): run(project, home, key, *command) for command in COMMANDS}
    return home, key, codes


def search(home: Home, key: MasterKey, seeds: range) -> tuple[int, dict[str, int], int, list[Hit]]:
    """All hits, with the number of needles, of columns by kind of database, and of bytes."""
    made = swept(load_templates(TEMPLATES))
    looked_for = [one for seed in seeds for one in needles(canaries(seed), made)]
    looked_for.append(needle("secret/verification value in text", ", cvv 739"))
    domains = {
        declared.token_domain
        for one in made
        for declared in one.record.fields.values()
        if declared.token_domain
    }
    looked_for += [
        needle(f"key/{label}", secret) for secret, label in key_forms(key, sorted(domains)).items()
    ]
    hay = Haystack(looked_for)
    with Warehouse(home, key).connect(read_only=True) as connection:
        count, hits = search_duckdb(connection, "private", hay)
    columns = {"private": count, "published": 0, "run history": 0}
    for path in sorted(home.published.rglob("*.duckdb")):
        with duckdb.connect(path, read_only=True) as connection:
            count, found = search_duckdb(connection, f"published {path.stem}", hay)
        columns["published"] += count
        hits += found
    for path in sorted(home.root.rglob("*.db")):
        count, found = search_history(path, path.relative_to(home.root).as_posix(), hay)
        columns["run history"] += count
        hits += found
    size, found = search_files(home.root, hay)
    return len(looked_for), columns, size, hits + found


def sweep(root: Path, seeds: range) -> Outcome:
    """Deliver, refresh, search; what stands where it may not."""
    home, key, codes = fill(root, seeds)
    count, columns, size, hits = search(home, key, seeds)
    return Outcome(
        len(seeds),
        count,
        columns,
        size,
        [hit for hit in hits if not is_allowed(hit)],
        len({hit.label for hit in hits if hit.place.startswith(VAULT)}),
        codes,
    )

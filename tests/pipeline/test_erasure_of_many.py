"""A hundred persons erased from a whole home: delivered again, put back, and still nobody is there.

Consent is tried on the way: a hundred others withdraw theirs and are gone from the list of those
who may be written to.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from dagster_project.core.declarations import load_templates
from dagster_project.core.erasure import database, finding
from dagster_project.core.erasure.certificate import is_genuine
from dagster_project.core.erasure.finding import Selectors, Traces
from dagster_project.core.erasure.sweeping import sweep_files, sweep_tables, text_folders
from dagster_project.core.home import TEMPLATES, Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.publishing import versions
from dagster_project.core.simulation import simulate
from dagster_project.core.warehouse import Warehouse
from tests.pipeline.test_refresh import tillhouse

pytestmark = pytest.mark.long(minutes=6)

PERSONS = 100
MEMBERS = """
select distinct sender, value, person_key
from identity.person_identifier
inner join vault.personal_value on token = identifier_token and domain = 'member'
where identifier_kind = 'member' and person_key in (
    select customer_durable_key from customer.marketing_list
)
order by person_key, sender, value
"""
# Feeds whose rows may come in any order: turned round, they are files nobody has seen.
TURNED = ("lantern_members", "lantern_orders", "lantern_receipts", "lantern_consents")


def open_warehouse(home: Home) -> Warehouse:
    return Warehouse(home, load_master_key(home, {}))


def members_of(home: Home) -> dict[int, list[str]]:
    """Person to SENDER:NUMBER, of everybody who may be written to."""
    found: dict[int, list[str]] = {}
    with open_warehouse(home).connect(read_only=True) as connection:
        for sender, number, person in connection.execute(MEMBERS).fetchall():
            found.setdefault(person, []).append(f"{sender}:{number}")
    return found


def traces_of(home: Home, members: list[str]) -> Traces:
    """What those persons are known by, as long as they are known."""
    with open_warehouse(home).connect() as connection:
        connection.execute("begin")
        try:
            places = database.raw_places(connection, load_templates(TEMPLATES))
            selectors = Selectors(members=tuple(members))
            persons = finding.find_persons(connection, load_master_key(home, {}), selectors)
            finding.find_everything(connection, places, persons)
            return finding.find_traces(connection, places, persons)
        finally:
            connection.execute("rollback")


def left(home: Home, traces: Traces) -> dict[str, int]:
    """Everything that still holds something: tables, published versions, texts by their bytes."""
    with open_warehouse(home).connect(read_only=True) as connection:
        swept = {one.table: one.found for one in sweep_tables(connection, traces)}
    for path in home.published.rglob("*.duckdb"):
        with versions.attached(path) as engine:
            swept |= {f"{path.name} {o.table}": o.found for o in sweep_tables(engine, traces)}
    folders = [*text_folders(home), home.published, home.private / "scratch"]
    swept |= {str(path): count for path, count in sweep_files(folders, traces)}
    register = [home.private / name for name in ("erasures.jsonl", "audit.jsonl")]
    needles = (*traces.tokens, *traces.values)
    for path in (one for one in register if one.exists()):
        text = path.read_text("utf-8")
        swept[path.name] = sum(needle in text for needle in needles)
    return {name: count for name, count in swept.items() if count}


def deliver_again(home: Home, delivered: Path) -> None:
    """The same files, and the same rows in files that are new."""
    shutil.copytree(delivered, home.landing, dirs_exist_ok=True)
    for feed in TURNED:
        for path in sorted((delivered / feed).glob("*.csv")):
            head, *lines = path.read_text("utf-8").splitlines(keepends=True)
            turned = head + "".join(reversed(lines))
            (home.landing / feed / path.name.replace(".csv", "_again.csv")).write_text(turned)


def withdraw(home: Home, delivered: Path, members: list[str]) -> None:
    """A file in which members withdraw their consent to marketing."""
    folder = home.landing / "lantern_consents"
    template = next(iter(sorted((delivered / "lantern_consents").glob("*.csv"))))
    with template.open(encoding="utf-8", newline="") as handle:
        example = next(csv.DictReader(handle, delimiter="|"))
    said = {"what_for": "marketing", "yes_no": "N", "stated_at": "2018-06-01T10:00:00"}
    with (folder / "consents_withdrawn.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, example, delimiter="|")
        writer.writeheader()
        for member in members:
            writer.writerow(example | said | {"club_no": member.partition(":")[2]})


def listed(home: Home) -> set[int]:
    with open_warehouse(home).connect(read_only=True) as connection:
        rows = connection.execute("select customer_durable_key from customer.marketing_list")
        return {person for (person,) in rows.fetchall()}


def test_a_hundred_persons_are_erased_and_neither_files_nor_backups_bring_them_back(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home").create()
    simulate(home.root, stores=3, days=21, customers=800, seed=11, faults="none")
    delivered = tmp_path / "delivered"
    shutil.copytree(home.landing, delivered)
    assert tillhouse(home, "refresh").code == 0
    assert tillhouse(home, "backup").code == 0

    members = members_of(home)
    chosen = list(members)[:PERSONS]
    erased = [member for person in chosen for member in members[person]]
    traces = traces_of(home, erased)
    assert len(traces.person_keys) == PERSONS
    assert len(left(home, traces)) > 20

    arguments = [part for member in erased for part in ("--member", member)]
    ended = tillhouse(home, "erase", *arguments, "--reason", "asked by letter")
    assert (ended.code, ended.told["is_complete"], ended.told["left"]) == (0, True, 0)
    assert left(home, traces) == {}
    certificate = Path(ended.told["certificate"])
    assert is_genuine(certificate, load_master_key(home, {}))
    assert len(json.loads(certificate.read_text("utf-8"))["backups"]) == 1

    withdrawn = [person for person in members_of(home) if person not in chosen][:PERSONS]
    assert len(withdrawn) == PERSONS
    deliver_again(home, delivered)
    withdraw(home, delivered, [members[person][0] for person in withdrawn])
    assert tillhouse(home, "refresh").code == 0
    assert left(home, traces) == {}
    assert listed(home)
    assert not listed(home) & set(withdrawn)

    assert tillhouse(home, "restore", "newest").code == 0
    assert left(home, traces) == {}

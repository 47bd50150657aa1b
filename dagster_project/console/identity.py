"""``tillhouse identity explain``, ``dry-run`` and ``evaluate``: why, what if, and how right.

Belongs here: the three commands. Does not: finding anything out (``core.identity``). Nothing here
changes a warehouse, and no clear value is shown.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dagster_project.console.deployment import open_home
from dagster_project.console.errors import CommandError

if TYPE_CHECKING:
    import duckdb

    from dagster_project.core.identity.assigning import Rules
    from dagster_project.core.identity.explaining import Explanation
    from dagster_project.core.identity.rehearsing import Rehearsal
    from dagster_project.core.keys import MasterKey

DONE = 0


def run(chosen: argparse.Namespace) -> int:
    """Do what was asked; 0, or an error in one line."""
    from dagster_project.core.identity.explaining import ExplainError
    from dagster_project.core.identity.labelled import LabelledSetError
    from dagster_project.core.identity.rehearsing import RehearsalError

    actions = {"explain": _explain, "dry-run": _dry_run, "evaluate": _evaluate}
    try:
        return actions[chosen.action](chosen)
    except (ExplainError, LabelledSetError, RehearsalError) as error:
        raise CommandError(str(error)) from error


def _explain(chosen: argparse.Namespace) -> int:
    from dagster_project.core.identity.explaining import explain

    with _opened(chosen) as (connection, rules, key):
        found = explain(connection, rules, key, *chosen.identifier)
    _tell(chosen, asdict(found), _explained(found))
    return DONE


def _explained(found: Explanation) -> str:
    is_one = "are one person" if found.is_one_person else "are not one person"
    lines = [f"{found.left.words} and {found.right.words} {is_one}."]
    for step in found.path:
        sure = "" if step.probability >= 1 else f", probability {step.probability:.4f}"
        lines.append(f"  {step.left.words} - {step.right.words}: {step.rule}{sure}")
        lines += [f"      {outcome}" for outcome in (step.outcomes or "").split("; ") if outcome]
    for end in (found.left, found.right):
        lines.append(f"{end.words}: person {end.person_key or 'none'}, sure {end.confidence:.4f}")
    return "\n".join([*lines, *found.decisions, *found.notes])


def _dry_run(chosen: argparse.Namespace) -> int:
    from dagster_project.core.identity.rehearsing import dry_run

    limits = dict(_limit(text) for text in chosen.hub_limit)
    with _opened(chosen) as (connection, rules, _):
        found = dry_run(connection, rules, hub_limits=limits, threshold=chosen.threshold)
    _tell(chosen, asdict(found), _rehearsed(found))
    return DONE


def _limit(text: str) -> tuple[str, int]:
    kind, _, number = text.partition("=")
    if not number.isdigit():
        raise CommandError(f"{text!r} is no limit: write KIND=NUMBER, such as phone=5")
    return kind, int(number)


def _rehearsed(found: Rehearsal) -> str:
    rows = [
        ("persons", found.persons_before, found.persons_after),
        ("hubs", found.hubs_before, found.hubs_after),
        *((f"members, tier {tier or 'none'}", *counts) for tier, counts in found.tiers.items()),
    ]
    lines = [f"{'':<28}{'now':>12}{'then':>12}{'change':>12}"]
    lines += [f"{name:<28}{a:>12,}{b:>12,}{b - a:>+12,}" for name, a, b in rows]
    lines.append(
        f"{found.merged:,} persons merged into others, {found.split_off:,} split off, "
        f"{found.moved_identifiers:,} identifiers elsewhere; nothing was written"
    )
    return "\n".join([*lines, found.matching])


def _evaluate(chosen: argparse.Namespace) -> int:
    from dagster_project.core.identity.assigning import standing_rules
    from dagster_project.core.identity.judging import judge
    from dagster_project.core.identity.labelled import load_columns, read_records

    rules = standing_rules(True)
    records = read_records(chosen.file, load_columns(chosen.columns), chosen.country)
    scores = judge(records, rules.model)
    told = {
        name: asdict(score) | {"precision": score.precision, "recall": score.recall, "f1": score.f1}
        for name, score in scores.items()
    }
    head = f"{'':<16}{'precision':>10}{'recall':>10}{'F1':>10}{'found':>10}{'true':>10}"
    lines = [
        f"{name:<16}{s.precision:>10.4f}{s.recall:>10.4f}{s.f1:>10.4f}"
        f"{s.found_pairs:>10,}{s.true_pairs:>10,}"
        for name, s in scores.items()
    ]
    words = "\n".join([f"{len(records):,} records", head, *lines, rules.matching])
    _tell(chosen, told, words)
    return DONE


@contextmanager
def _opened(
    chosen: argparse.Namespace,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Rules, MasterKey]]:
    """The warehouse for reading, the rules that stand, and the key for tokens."""
    from dagster_project.core.home import load_settings
    from dagster_project.core.identity.assigning import standing_rules
    from dagster_project.core.keys import load_master_key
    from dagster_project.core.warehouse import Warehouse

    home = open_home(chosen.home)
    if not home.warehouse.exists():
        raise CommandError(f"{home.root} has no warehouse; run refresh first")
    key = load_master_key(home)
    rules = standing_rules(load_settings(home).probabilistic_identity)
    with Warehouse(home, key).connect(read_only=True) as connection:
        (known,) = connection.execute(
            "select count(*) from information_schema.tables "
            "where table_schema = 'identity' and table_name = 'person_key_before'"
        ).fetchone()
        if not known:
            raise CommandError("nobody is known yet; run refresh first")
        yield connection, rules, key


def _tell(chosen: argparse.Namespace, told: Any, words: str) -> None:
    as_json = json.dumps(told, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(f"{as_json if chosen.json else words}\n")

"""``tillhouse feed propose`` and ``feed check``: a first feed from samples, and what it would do.

Belongs here: the two commands. Does not: finding anything out (``core.proposing``), loading.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.console.deployment import check_declarations, open_home
from dagster_project.console.errors import CommandError
from dagster_project.core.declarations import load_feed, load_templates
from dagster_project.core.home import TEMPLATES

if TYPE_CHECKING:
    from dagster_project.core.declarations import Feed, Template
    from dagster_project.core.feeds import CheckOutcome
    from dagster_project.core.proposing import Proposal

DONE, HELD_BACK = 0, 1


def feed_check(chosen: argparse.Namespace) -> int:
    """What files would do; 1 where one, or rows of one, would be held back."""
    from dagster_project.core.proposing.rehearsal import check_all

    home = open_home(chosen.home)
    feed, template = _chosen_feed(chosen.feed)
    outcomes = check_all(feed, template, [_file(path) for path in chosen.file], home)
    told = [asdict(one) for one in outcomes]
    # One file, one object: as it was before several could be named.
    _tell(chosen, told if len(told) > 1 else told[0], "\n\n".join(map(_words, outcomes)))
    return _code(outcomes)


def feed_propose(chosen: argparse.Namespace) -> int:
    """Write a first feed for samples and check it on them; 1 where rows would be held back."""
    from dagster_project.core.proposing.rehearsal import propose_and_check

    home = open_home(chosen.home)
    templates = load_templates(TEMPLATES)  # a feed that does not fit yet must not be in the way
    paths = [_file(path) for path in chosen.file]
    name = chosen.feed or _feed_name(paths[0])
    for word in (name, chosen.sender or name):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", word):
            raise CommandError(f"{word!r} is no name: small letters, digits and underscores only")
    if chosen.template not in {None, "new", *templates}:
        known = ", ".join(sorted(templates))
        raise CommandError(f"unknown template {chosen.template!r}; known: new, {known}")
    out = (chosen.out or Path.cwd()).expanduser().resolve()
    target = out / name / "defs.yaml"
    if target.exists() and not chosen.force:
        raise CommandError(f"{target} exists already; --force writes over it")
    proposal, outcomes = propose_and_check(
        paths, templates, home, out, feed=name, sender=chosen.sender, template=chosen.template
    )
    told = {
        "feed": str(target),
        "template": proposal.template,
        "layout": proposal.layout,
        "decide": [f"{note.about}: {note.evidence}" for note in proposal.open_notes],
        "check": [asdict(one) for one in outcomes],
    }
    _tell(chosen, told, _proposal_words(proposal, target, outcomes))
    return _code(outcomes)


def _chosen_feed(name: str) -> tuple[Feed, Template]:
    """An installed feed by name, or one that is not yet by the path of its YAML."""
    from dagster_project.core.proposing.rehearsal import OWN_TEMPLATES

    path = Path(name).expanduser().resolve()
    if path.suffix in {".yaml", ".yml"}:
        templates = load_templates(TEMPLATES)
        if (own := path.parent / OWN_TEMPLATES).is_dir():
            templates |= load_templates(own)
        feed = load_feed(path, templates)
        return feed, templates[feed.template]
    templates, feeds = check_declarations()
    if name not in feeds:
        known = ", ".join(sorted(feeds))
        raise CommandError(f"unknown feed {name!r}; known: {known}, or the path of a feed's YAML")
    return feeds[name], templates[feeds[name].template]


def _file(path: Path) -> Path:
    found = path.expanduser().resolve()
    if not found.is_file():
        raise CommandError(f"{found} is no file")
    return found


def _feed_name(path: Path) -> str:
    """The file's name up to its first number or ending, else its folder's, as a feed's name."""
    for text in (path.name.partition(".")[0], path.parent.name):
        name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
        name = re.sub(r"(?:_?\d+)+$", "", name)
        if re.match(r"[a-z]", name):
            return name
    return "new_feed"


def _code(outcomes: list[CheckOutcome]) -> int:
    return HELD_BACK if any(one.reason or one.rejected_count for one in outcomes) else DONE


def _proposal_words(proposal: Proposal, target: Path, outcomes: list[CheckOutcome]) -> str:
    from dagster_project.core.proposing.writing import open_lines

    kind = f"layout {proposal.layout}" if proposal.layout else f"template {proposal.template}"
    lines = [f"written: {target} ({kind})"]
    if proposal.template_yaml is not None:
        own = f"{target.parent}/templates/{proposal.template}.yaml"
        lines.append(f"written: {own} (no shipped template was taken; to install, move it to them)")
    lines += open_lines(proposal.notes)
    return "\n".join([*lines, "", *(_words(one) for one in outcomes)])


def _words(outcome: CheckOutcome) -> str:
    lines = []
    for name, value in asdict(outcome).items():
        if isinstance(value, tuple):
            listed = (" ".join(map(str, one)) if isinstance(one, tuple) else one for one in value)
            value = "; ".join(map(str, listed)) or "none"  # noqa: PLW2901
        lines.append(f"{name:<18}{'none' if value is None else value}")
    return "\n".join(lines)


def _tell(chosen: argparse.Namespace, told: Any, words: str) -> None:
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str) if chosen.json else words
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

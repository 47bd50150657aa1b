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

if TYPE_CHECKING:
    from dagster_project.core.declarations import Feed, Template
    from dagster_project.core.feeds import CheckOutcome
    from dagster_project.core.home import Home
    from dagster_project.core.proposing import Proposal

DONE, HELD_BACK = 0, 1
OWN_TEMPLATES = "templates"  # folder beside a feed that is not installed yet
ROOM = 1.25  # above the share that the samples reject
USUAL_THRESHOLD = 0.05


def feed_check(chosen: argparse.Namespace) -> int:
    """What files would do; 1 where one, or rows of one, would be held back."""
    home = open_home(chosen.home)
    feed, template = _chosen_feed(chosen.feed)
    outcomes = check_all(feed, template, [_file(path) for path in chosen.file], home)
    told = [asdict(one) for one in outcomes]
    # One file, one object: as it was before several could be named.
    _tell(chosen, told if len(told) > 1 else told[0], "\n\n".join(map(_words, outcomes)))
    return _code(outcomes)


def feed_propose(chosen: argparse.Namespace) -> int:
    """Write a first feed for samples and check it on them; 1 where rows would be held back."""
    home = open_home(chosen.home)
    templates, feeds = check_declarations()
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
    del feeds
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


def propose_and_check(
    paths: list[Path],
    templates: dict[str, Template],
    home: Home,
    out: Path,
    *,
    feed: str,
    sender: str | None = None,
    template: str | None = None,
) -> tuple[Proposal, list[CheckOutcome]]:
    """Write the proposal below a folder and dry-run it on its own samples.

    Where they reject more than usual, it is written again with a threshold that lets them in.
    """
    from dagster_project.core.proposing import propose  # noqa: PLC0415 - heavy

    threshold = None
    while True:
        proposal = propose(
            paths, templates, feed=feed, sender=sender, template=template,
            reject_threshold=threshold,
        )  # fmt: skip
        declared, own = _written(proposal, out, templates)
        outcomes = check_all(declared, own, paths, home)
        share = max((_rejected_share(one) for one in outcomes), default=0.0)
        if threshold is not None or share <= USUAL_THRESHOLD:
            return proposal, outcomes
        threshold = min(1.0, round(share * ROOM + 0.005, 2))


def check_all(feed: Feed, template: Template, paths: list[Path], home: Home) -> list[CheckOutcome]:
    """A dry run of every file, each by itself."""
    from dagster_project.core.feeds import check_feed_file  # noqa: PLC0415 - heavy

    return [check_feed_file(feed, template, path, home) for path in paths]


def _written(
    proposal: Proposal, out: Path, templates: dict[str, Template]
) -> tuple[Feed, Template]:
    """The proposal on disk, and read back from there as a load would."""
    from dagster_project.core.declarations import load_feed, load_templates  # noqa: PLC0415

    folder = out / proposal.feed
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "defs.yaml"
    path.write_text(proposal.feed_yaml, "utf-8")
    if proposal.template_yaml is not None:
        own = folder / OWN_TEMPLATES
        own.mkdir(exist_ok=True)
        (own / f"{proposal.template}.yaml").write_text(proposal.template_yaml, "utf-8")
        templates = templates | load_templates(own)
    feed = load_feed(path, templates)
    return feed, templates[feed.template]


def _chosen_feed(name: str) -> tuple[Feed, Template]:
    """An installed feed by name, or one that is not yet by the path of its YAML."""
    from dagster_project.core.declarations import load_feed, load_templates  # noqa: PLC0415

    path = Path(name).expanduser().resolve()
    templates, feeds = check_declarations()
    if path.suffix in {".yaml", ".yml"}:
        if (own := path.parent / OWN_TEMPLATES).is_dir():
            templates |= load_templates(own)
        feed = load_feed(path, templates)
    elif name in feeds:
        feed = feeds[name]
    else:
        known = ", ".join(sorted(feeds))
        raise CommandError(f"unknown feed {name!r}; known: {known}, or the path of a feed's YAML")
    return feed, templates[feed.template]


def _file(path: Path) -> Path:
    found = path.expanduser().resolve()
    if not found.is_file():
        raise CommandError(f"{found} is no file")
    return found


def _feed_name(path: Path) -> str:
    """The file's name up to its first number or ending, as a name of a feed."""
    stem = path.name.partition(".")[0].lower()
    name = re.sub(r"[^a-z0-9]+", "_", stem).strip("_")
    name = re.sub(r"(?:_?\d+)+$", "", name)
    return name if re.match(r"[a-z]", name) else f"feed_{name}".rstrip("_")


def _rejected_share(outcome: CheckOutcome) -> float:
    return outcome.rejected_count / max(1, outcome.physical_count)


def _code(outcomes: list[CheckOutcome]) -> int:
    return HELD_BACK if any(one.reason or one.rejected_count for one in outcomes) else DONE


def _proposal_words(proposal: Proposal, target: Path, outcomes: list[CheckOutcome]) -> str:
    from dagster_project.core.proposing.writing import open_lines  # noqa: PLC0415 - heavy

    kind = f"layout {proposal.layout}" if proposal.layout else f"template {proposal.template}"
    lines = [f"written: {target} ({kind})"]
    if proposal.template_yaml is not None:
        own = target.parent / OWN_TEMPLATES / f"{proposal.template}.yaml"
        lines.append(f"written: {own} (no shipped template was taken)")
    lines += open_lines(proposal.notes)
    return "\n".join([*lines, "", *(_words(one) for one in outcomes)])


def _words(outcome: CheckOutcome) -> str:
    told = asdict(outcome)
    return "\n".join(f"{name:<18}{value}" for name, value in told.items())


def _tell(chosen: argparse.Namespace, told: Any, words: str) -> None:
    text = json.dumps(told, ensure_ascii=False, indent=2, default=str) if chosen.json else words
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()

"""Proposing with a rehearsal: the proposal is written, read back and tried on its own samples.

Belongs here: files of a proposal, and the share of rejects they need. Does not: finding anything
out (``proposal``), the dry run itself (``feeds.check``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dagster_project.core.declarations import Feed, Template, load_feed, load_templates
from dagster_project.core.feeds import CheckOutcome, check_feed_file
from dagster_project.core.home import Home
from dagster_project.core.proposing.proposal import Proposal, propose

OWN_TEMPLATES = "templates"  # folder beside a feed that is not installed yet
ROOM = 1.25  # above the share that the samples reject
USUAL_THRESHOLD = 0.05  # of Arrival


def propose_and_check(
    paths: Sequence[Path],
    templates: Mapping[str, Template],
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
    threshold = None
    while True:
        proposal = propose(
            paths, templates, feed=feed, sender=sender, template=template,
            reject_threshold=threshold,
        )  # fmt: skip
        declared, own = write_proposal(proposal, out, templates)
        outcomes = check_all(declared, own, paths, home)
        share = max((_rejected_share(one) for one in outcomes), default=0.0)
        if threshold is not None or share <= USUAL_THRESHOLD:
            return proposal, outcomes
        threshold = min(1.0, round(share * ROOM + 0.005, 2))


def check_all(
    feed: Feed, template: Template, paths: Sequence[Path], home: Home
) -> list[CheckOutcome]:
    """A dry run of every file, each by itself."""
    return [check_feed_file(feed, template, path, home) for path in paths]


def write_proposal(
    proposal: Proposal, out: Path, templates: Mapping[str, Template]
) -> tuple[Feed, Template]:
    """The proposal on disk, and read back from there as a load would."""
    folder = out / proposal.feed
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "defs.yaml"
    path.write_text(proposal.feed_yaml, "utf-8")
    if proposal.template_yaml is not None:
        own = folder / OWN_TEMPLATES
        own.mkdir(exist_ok=True)
        (own / f"{proposal.template}.yaml").write_text(proposal.template_yaml, "utf-8")
        templates = {**templates, **load_templates(own)}
    feed = load_feed(path, templates)
    return feed, templates[feed.template]


def _rejected_share(outcome: CheckOutcome) -> float:
    return outcome.rejected_count / max(1, outcome.physical_count)

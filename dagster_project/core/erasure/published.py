"""Published versions from before an erasure: none may be kept or rolled back to.

Belongs here: dropping them. Does not: publishing. They hold no identifier, name or contact; they
hold the keys of persons, and with them who bought what, as of before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dagster_project.core.home import Home
from dagster_project.core.publishing import versions
from dagster_project.core.suppression.register import sync_folder


@dataclass(frozen=True)
class Published:
    """What became of the published versions, as ``audience/version``."""

    dropped: tuple[str, ...]
    still_served: tuple[str, ...]  # readers have them until the next publication


def drop_earlier(home: Home, moment: datetime) -> Published:
    """Drop every kept version that was published before a moment.

    The file that readers open is never taken away: it is told of where it is an earlier one.
    """
    dropped, served = [], []
    for audience in _audiences(home):
        for version in versions.kept_versions(home, audience):
            path = versions.version_path(home, audience, version)
            if versions.read_publication(path, audience).published_at < moment:
                path.unlink()
                dropped.append(f"{audience}/{version}")
        current = versions.latest_publication(home, audience)
        if current is not None and current.published_at < moment:
            served.append(f"{audience}/{current.version}")
    for folder in (home.published / versions.VERSIONS).glob("*"):
        sync_folder(folder)
    return Published(tuple(dropped), tuple(served))


def _audiences(home: Home) -> list[str]:
    kept = {path.name for path in (home.published / versions.VERSIONS).glob("*")}
    served = {path.stem for path in home.published.glob(f"*{versions.SUFFIX}")}
    return sorted(kept | served)

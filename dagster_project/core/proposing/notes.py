"""What the proposal says of itself: each decision with its evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """One decision and its evidence; an open one is for a person to settle."""

    about: str  # key of the feed, or a column's name
    evidence: str
    is_open: bool = False

    def comment(self) -> str:
        """As it stands in the YAML."""
        return f"# {'decide: ' if self.is_open else ''}{self.evidence}"

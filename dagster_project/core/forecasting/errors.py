"""What can go wrong with one series without stopping the others."""

from __future__ import annotations


class SeriesError(ValueError):
    """This series cannot be forecast; the message says why in one line, without any amount."""

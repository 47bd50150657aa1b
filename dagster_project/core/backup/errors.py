"""The one error of backups.

Belongs here: nothing else; every module of this package raises it.
"""

from __future__ import annotations


class BackupError(Exception):
    """Nothing was backed up or put back; the message says in one line why."""


def explained(error: Exception) -> str:
    """A database's or the system's own first line; a full disk by its name."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "No space left" in text or "File too large" in text:
        return f"the disk is full: {text}"
    return text

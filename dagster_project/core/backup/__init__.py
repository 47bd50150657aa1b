"""Copies of a deployment that can be put back: made, verified, restored, tried and thrown away.

Belongs here: backups and how long things are kept. Does not: what an erasure does (``erasure``),
whose register a backup carries so that a restore brings nobody back.
"""

from dagster_project.core.backup.drilling import DrillOutcome, restore_drill
from dagster_project.core.backup.errors import BackupError
from dagster_project.core.backup.layout import kept_backups
from dagster_project.core.backup.making import BackupOutcome, backup
from dagster_project.core.backup.restoring import (
    RestoreOutcome,
    finish_restore,
    restore,
    restore_into,
)
from dagster_project.core.backup.retention import RetentionOutcome, apply_retention
from dagster_project.core.backup.verifying import Answer, verify

__all__ = [
    "Answer",
    "BackupError",
    "BackupOutcome",
    "DrillOutcome",
    "RestoreOutcome",
    "RetentionOutcome",
    "apply_retention",
    "backup",
    "finish_restore",
    "kept_backups",
    "restore",
    "restore_drill",
    "restore_into",
    "verify",
]

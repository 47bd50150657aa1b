"""Erasing a person everywhere, and everything that is known of one.

Belongs here: which columns say whose a record is, the register of erasures, what is deleted and
what stays without its person, the certificate, the export of one person. Does not: deciding who is
one person (``identity``), the audit log's form (``audit_log``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster_project.core.suppression.register import (
    ErasureError,
    mark_path,
    merge,
    read_register,
)

if TYPE_CHECKING:
    from dagster_project.core.warehouse import Warehouse, WriterLock


def apply_again(warehouse: Warehouse, lock: WriterLock) -> int:
    """Carry out every recorded erasure on a warehouse that was restored; how many there are."""
    # The loader, which erasing reads files with, looks at this package's register itself.
    from dagster_project.core.erasure.erasing import carry_out_all

    return carry_out_all(warehouse, lock)


def finish_erasure(warehouse: Warehouse, lock: WriterLock) -> bool:
    """Go on with an erasure that was stopped, before anything else is written; whether one was."""
    is_unfinished = mark_path(warehouse.home).exists()
    if is_unfinished:
        apply_again(warehouse, lock)
    return is_unfinished


__all__ = ["ErasureError", "apply_again", "finish_erasure", "merge", "read_register"]

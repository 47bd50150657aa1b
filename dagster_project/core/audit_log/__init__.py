"""Who did what to the data and when: an append-only log, outside the database, that shows changes.

Belongs here: the log's lines, its head and the search for tampering. Does not: any event's cause.
"""

from dagster_project.core.audit_log.log import EVENTS, HEAD, LOG, copy_log, record, take_log, verify
from dagster_project.core.audit_log.verdict import AuditVerdict, BadLine

__all__ = [
    "EVENTS",
    "HEAD",
    "LOG",
    "AuditVerdict",
    "BadLine",
    "copy_log",
    "record",
    "take_log",
    "verify",
]

"""A first feed from sample files, for a person to read, correct and install.

One module a step: opening (bytes), dialects, tables and headers (text to a table), kinds and
columns (types), classes (whose business), natural_keys, matching (templates and layouts),
writing (YAML). Everything here is a guess with its evidence; loading never imports it.
"""

from dagster_project.core.proposing.notes import Note
from dagster_project.core.proposing.opening import ProposingError
from dagster_project.core.proposing.proposal import Proposal, propose

__all__ = ["Note", "Proposal", "ProposingError", "propose"]

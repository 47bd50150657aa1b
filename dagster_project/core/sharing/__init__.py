"""Extracts for partners: consented customers, generalised until nobody stands out, signed.

Belongs here: who may get what (``partners``), generalising (``anonymity``), what is written and
signed (``extract``, ``manifest``). Does not: reading a raw table or the vault; an extract is made
of marts.
"""

from dagster_project.core.sharing.errors import SharingError
from dagster_project.core.sharing.extract import Release, share
from dagster_project.core.sharing.manifest import verify
from dagster_project.core.sharing.partners import Partner, load_partners

__all__ = ["Partner", "Release", "SharingError", "load_partners", "share", "verify"]

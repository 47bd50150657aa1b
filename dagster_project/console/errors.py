"""What may go wrong as foreseen: each of these says in one line what it is and what to do."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot do what was asked; the message says why in one line."""


def explained() -> tuple[type[Exception], ...]:
    """Errors that are told without a traceback."""
    from dagster_project.core.backup.errors import BackupError
    from dagster_project.core.declarations import DeclarationError
    from dagster_project.core.erasure import ErasureError
    from dagster_project.core.exporting import ExportError
    from dagster_project.core.feeds.errors import LoadError
    from dagster_project.core.home import HomeError
    from dagster_project.core.keys import KeyUnavailableError
    from dagster_project.core.modelling import ModellingError
    from dagster_project.core.proposing.opening import ProposingError
    from dagster_project.core.publishing.errors import PublicationError
    from dagster_project.core.quality import SuiteError
    from dagster_project.core.sharing.errors import SharingError
    from dagster_project.core.simulation.delivery import SimulationError
    from dagster_project.core.warehouse import WarehouseError
    from dagster_project.core.withdrawing import WithdrawalError

    return (
        BackupError,
        CommandError,
        DeclarationError,
        ErasureError,
        ExportError,
        LoadError,
        HomeError,
        KeyUnavailableError,
        ModellingError,
        ProposingError,
        OSError,  # a full disk, a folder that may not be written: its own words name the path
        PublicationError,
        SharingError,
        SimulationError,
        SuiteError,
        WarehouseError,
        WithdrawalError,
    )


def told(error: Exception) -> list[str]:
    """What an explained error says: one line, or one for each mistake of the suites."""
    from dagster_project.core.quality import SuiteError

    mistakes = error.mistakes if isinstance(error, SuiteError) else [str(error)]
    return [" ".join(mistake.split()) for mistake in mistakes]

"""The code location ``tillhouse``: everything under ``defs``, found by scan."""

import dagster as dg

from dagster_project.core.home import PACKAGE


@dg.definitions
def definitions() -> dg.Definitions:
    """One process for a whole run: a step in a process of its own costs about 4 CPU seconds."""
    found = dg.load_from_defs_folder(path_within_project=PACKAGE)
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))

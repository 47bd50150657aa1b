"""The code location ``tillhouse``: everything under ``defs``, found by scan."""

import dagster as dg
from dagster.components.core.component_tree import ComponentTreeException

from dagster_project.core.home import PACKAGE


@dg.definitions
def definitions() -> dg.Definitions:
    """One process for a whole run: a step in a process of its own costs about 4 CPU seconds.

    Raises what a declaration is wrong with, SuiteError and DeclarationError above all: Dagster's
    own error is a tree of every file there is.
    """
    try:
        found = dg.load_from_defs_folder(path_within_project=PACKAGE)
    except ComponentTreeException as error:
        raise error.__cause__ or error from None
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor))

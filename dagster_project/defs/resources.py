"""What a run holds while it works."""

import dagster as dg

from dagster_project.components.writer import WriterResource


@dg.definitions
def resources() -> dg.Definitions:
    """The one writer; every asset that touches the warehouse asks for it."""
    return dg.Definitions(resources={"writer": WriterResource()})

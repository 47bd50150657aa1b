"""Reports that are drawn from the published file, so that they show what readers see.

Belongs here: pages. Does not: any figure that is not in the published file.
"""

from dagster_project.core.reports.overview import write_overview

__all__ = ["write_overview"]

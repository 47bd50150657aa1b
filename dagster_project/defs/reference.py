"""What is true anywhere and written once: the calendar."""

import dagster as dg

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.calendars import calendar_version, ensure_calendar


@dg.asset(
    key=["reference", "calendar"],
    group_name="reference",
    description="One row per day, 1990 to 2045: Gregorian, ISO, 4-5-4 retail, Chinese lunar and "
    "Jalali dates, public holidays of four countries.",
    owners=["team:data-engineering"],
    kinds={"python", "duckdb"},
    pool=POOL,
)
def calendar(context: dg.AssetExecutionContext, writer: WriterResource) -> dg.MaterializeResult:
    """Written again only when its rules or the holiday lists have another version."""
    with writer.warehouse.connect() as connection:
        written = ensure_calendar(connection)
        (row_count,) = connection.execute("select count(*) from reference.calendar").fetchone()
    context.log.info(f"{written:,} days written" if written else "unchanged")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": row_count,
            "written": written,
            "version": calendar_version(),
        }
    )

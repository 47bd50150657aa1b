"""The jobs, and the night on which the refresh runs by itself."""

import dagster as dg

from dagster_project.core.home import load_settings, locate_home


@dg.definitions
def jobs() -> dg.Definitions:
    """``refresh`` takes in everything new and publishes it; ``publish`` only publishes."""
    refresh = dg.define_asset_job(
        "refresh",
        selection=dg.AssetSelection.all(),
        description="Everything new, end to end: feeds, models, checks, forecasts, publication.",
    )
    publish = dg.define_asset_job(
        "publish",
        selection=dg.AssetSelection.groups("published", "reports"),
        description="Publish the marts as they stand, unless a blocking check has failed.",
    )
    settings = load_settings(locate_home())
    hour, minute = settings.nightly_refresh.split(":")
    nightly = dg.ScheduleDefinition(
        name="nightly_refresh",
        job=refresh,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=settings.time_zone,
        description=f"Every night at {settings.nightly_refresh}, {settings.time_zone}.",
    )
    return dg.Definitions(jobs=[refresh, publish], schedules=[nightly])

"""Jobs that keep a deployment whole, and the night hour at which they run by themselves."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from dagster_project.components.feed import templates
from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.backup import BackupError
from dagster_project.core.home import load_settings, locate_home

WEEKLY = "0"  # Sunday: a drill takes as long as the backup
HOURS_LATER = 1  # the drill of a backup, which is over by then


@dg.op(pool=POOL, description="The warehouse through the database, originals and registers.")
def back_up(context: dg.OpExecutionContext, writer: WriterResource) -> str:
    """The backup's name."""
    from dagster_project.core.backup import backup

    try:
        made = backup(writer.warehouse, writer.lock)
    except BackupError as error:
        raise dg.Failure(f"not backed up: {error}") from error
    context.log.info(f"backup {made.backup_id}: {made.rows:,} rows in {made.seconds:.0f} s")
    context.add_output_metadata({"rows": made.rows, "originals": made.original_count})
    return made.backup_id


@dg.op(pool=POOL, description="The newest backup into a scratch home, compared and removed.")
def drill(context: dg.OpExecutionContext, writer: WriterResource) -> None:
    """Fails with what is not as it was."""
    from dagster_project.core.backup import restore_drill

    try:
        found = restore_drill(writer.home, writer.warehouse.key)
    except BackupError as error:
        raise dg.Failure(f"the drill failed: {error}") from error
    context.log.info(f"{found.backup_id} restored in {found.restore_seconds:.0f} s, all as it was")
    context.add_output_metadata(
        {"rows": found.rows, "restore_seconds": found.restore_seconds, **found.reconciliations}
    )


@dg.op(
    pool=POOL,
    ins={"after": dg.In(dg.Nothing)},
    description="Originals, backups, versions, logs and runs that are past their days.",
)
def remove_old(context: dg.OpExecutionContext, writer: WriterResource) -> None:
    """Harmless to stop and to repeat."""
    from dagster_project.core.backup import apply_retention

    done = apply_retention(writer.warehouse, writer.lock, writer.settings, templates())
    limit = datetime.now(UTC) - timedelta(days=writer.settings.keep_run_days)
    old = context.instance.get_run_records(dg.RunsFilter(created_before=limit))
    for record in old:
        context.instance.delete_run(record.dagster_run.run_id)
    context.log.info(f"{done.originals} originals, {done.backups} backups, {len(old)} runs removed")
    context.add_output_metadata({**vars(done), "runs": len(old)})


@dg.job(name="backup", description="Back everything up, then remove what is past its days.")
def backup_job() -> None:
    remove_old(after=back_up())


@dg.job(name="restore_drill", description="Try whether the newest backup can be restored.")
def restore_drill_job() -> None:
    drill()


@dg.job(name="retention", description="Remove what is past its days.")
def retention_job() -> None:
    remove_old()


@dg.definitions
def keeping() -> dg.Definitions:
    """Every night a backup, every Sunday a drill, in the retailer's time zone."""
    settings = load_settings(locate_home())
    hour, minute = (int(part) for part in settings.nightly_backup.split(":"))
    nightly = dg.ScheduleDefinition(
        name="nightly_backup",
        job=backup_job,
        cron_schedule=f"{minute} {hour} * * *",
        execution_timezone=settings.time_zone,
        description=f"Every night at {settings.nightly_backup}, {settings.time_zone}.",
    )
    weekly = dg.ScheduleDefinition(
        name="weekly_restore_drill",
        job=restore_drill_job,
        cron_schedule=f"{minute} {(hour + HOURS_LATER) % 24} * * {WEEKLY}",
        execution_timezone=settings.time_zone,
        description="Every Sunday, an hour behind the backup.",
    )
    jobs = [backup_job, restore_drill_job, retention_job]
    return dg.Definitions(jobs=jobs, schedules=[nightly, weekly])

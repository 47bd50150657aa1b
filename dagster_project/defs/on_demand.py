"""Jobs that somebody starts by hand: look at everything kept, take a version back, make an extract.

What names a person (erasing, exporting a person's data) or holds a key (rotating keys) is no job:
what a run is started with can be read by everybody who sees the UI. Restoring is none either: it
would replace the home below the daemon that runs it.
"""

from datetime import UTC, datetime

import dagster as dg

from dagster_project.components.writer import POOL, WriterResource
from dagster_project.core.publishing import PublicationError
from dagster_project.core.sharing import SharingError


class WhichAudience(dg.Config):
    """Whose published file: a name in audiences.yaml."""

    audience: str = "analyst"


class WhichPartner(dg.Config):
    """Who gets the extract: a name in audiences.yaml."""

    partner: str


@dg.op(pool=POOL, description="Warehouse, newest backup, published files, originals, audit log.")
def look(context: dg.OpExecutionContext, writer: WriterResource) -> None:
    """Fails with what cannot be read or was changed."""
    from dagster_project.core.backup import verify

    found = verify(writer.home, writer.warehouse.key)
    context.add_output_metadata({one.what: one.said for one in found})
    if bad := [f"{one.what}: {one.said}" for one in found if not one.is_good]:
        raise dg.Failure(f"not as it should be: {'; '.join(bad)}")
    context.log.info(f"{len(found)} kinds of things looked at, all as they should be")


@dg.op(pool=POOL, description="The version before the published one, in its place again.")
def go_back(context: dg.OpExecutionContext, config: WhichAudience, writer: WriterResource) -> None:
    """Fails where there is no version to go back to."""
    from dagster_project.core.audit_log import record
    from dagster_project.core.publishing import rollback

    try:
        found = rollback(writer.home, config.audience)
    except PublicationError as error:
        raise dg.Failure(f"nothing was changed: {error}") from error
    key = writer.warehouse.key
    record(writer.home, key, "rollback", config.audience, version=found.version)
    context.log.info(f"version {found.version} is published again")
    context.add_output_metadata({"version": found.version})


@dg.op(pool=POOL, description="A signed extract for a partner, generalised.")
def make_extract(
    context: dg.OpExecutionContext, config: WhichPartner, writer: WriterResource
) -> None:
    """Fails where the partner is unknown or its term is over."""
    from dagster_project.core.sharing import share

    try:
        made = share(writer.warehouse, config.partner, datetime.now(UTC).date())
    except SharingError as error:
        raise dg.Failure(f"nothing was given away: {error}") from error
    report = made.anonymity
    context.log.info(f"release {made.release}: {made.path}")
    context.add_output_metadata(
        {
            "release": made.release,
            "customers": report.released_count,
            "left out": report.suppressed_count,
            "smallest group (k)": report.smallest_group or 0,
            "fewest values (l)": report.fewest_values or 0,
        }
    )


@dg.job(name="verify", description="Whether everything that is kept can be read and is unchanged.")
def verify_job() -> None:
    look()


@dg.job(name="rollback", description="Take the published version of an audience back.")
def rollback_job() -> None:
    go_back()


@dg.job(name="share", description="Make an extract for a partner.")
def share_job() -> None:
    make_extract()


@dg.definitions
def on_demand() -> dg.Definitions:
    """No schedules: each is somebody's decision."""
    return dg.Definitions(jobs=[verify_job, rollback_job, share_job])

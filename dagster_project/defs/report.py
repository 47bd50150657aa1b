"""The first page: an overview that a manager reads at a glance."""

import dagster as dg

from dagster_project.components.tables import last_metadata
from dagster_project.components.writer import POOL, WriterResource, relative

KEY = dg.AssetKey(["report", "overview"])
PUBLISHED = dg.AssetKey(["published", "analyst"])


@dg.asset(
    key=KEY,
    deps=[PUBLISHED],
    group_name="reports",
    description="Sales with their forecast, channels, hours, products, customers and quality on "
    "one self-contained page, drawn from the published file.",
    owners=["team:data-engineering"],
    kinds={"html"},
    pool=POOL,
)
def overview(context: dg.AssetExecutionContext, writer: WriterResource) -> dg.MaterializeResult:
    """Drawn again when another version is published."""
    from dagster_project.core.publishing import latest_publication

    publication = latest_publication(writer.home, "analyst")
    version = publication.version if publication else 0
    before = last_metadata(context, KEY)
    path = writer.home.reports / "overview.html"
    if path.exists() and before.get("version") == dg.MetadataValue.int(version):
        context.log.info("unchanged: the page shows the published version")
        return dg.MaterializeResult(metadata=before)

    from dagster_project.core.reports import write_overview

    path = write_overview(writer.home, writer.settings)
    context.log.info(f"{path.name} written")
    return dg.MaterializeResult(
        metadata={
            "version": version,
            "file": dg.MetadataValue.path(relative(writer.home, path)),
            "page": dg.MetadataValue.url(path.as_uri()),
            "size": path.stat().st_size,
        }
    )

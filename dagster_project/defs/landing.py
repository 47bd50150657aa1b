"""Files that arrive start a refresh: one look at all landing folders, few runs."""

import json
from collections.abc import Mapping
from hashlib import sha256

import dagster as dg

from dagster_project.components.feed import templates
from dagster_project.components.reaper import ARRIVED_TAG, reap_dead_runs
from dagster_project.core.declarations import load_feeds
from dagster_project.core.home import FEEDS, Home, locate_home

# Half of it is waited for on average; a look at 27 folders costs less than 0.1 CPU seconds.
INTERVAL_SECONDS = 15
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dg.sensor(
    name="landing_folders",
    job_name="refresh",
    minimum_interval_seconds=INTERVAL_SECONDS,
    # A refresh by hand and one by arrival would only wait for each other: switch it on where files
    # arrive all day.
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts a refresh when files wait in a landing folder that were not there before. "
    "While one runs, whatever arrives is left for the next: ten thousand files are a few runs. "
    "Forecasts are left to the night: a day that is not over says little about the next.",
)
def landing_folders(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """The cursor holds one mark per landing folder: which files waited when it last looked."""
    reap_dead_runs(context.instance)
    if context.instance.get_runs_count(dg.RunsFilter(job_name="refresh", statuses=UNFINISHED)):
        return dg.SkipReason("a refresh is under way; what arrives meanwhile is for the next one")
    before: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    marks = landing_marks(locate_home())
    cursor = json.dumps(marks, sort_keys=True)
    arrived = sorted(feed for feed, mark in marks.items() if mark and before.get(feed) != mark)
    if not arrived:
        context.update_cursor(cursor)
        return dg.SkipReason("no new files")
    key = sha256(cursor.encode()).hexdigest()
    request = dg.RunRequest(run_key=key, tags={ARRIVED_TAG: ",".join(arrived)[:200]})
    return dg.SensorResult(run_requests=[request], cursor=cursor)


def landing_marks(home: Home) -> Mapping[str, str]:
    """Per feed a digest of its waiting files' names, sizes and times; empty where none waits."""
    from dagster_project.core.feeds import waiting_files

    marks: dict[str, str] = {}
    for name, feed in load_feeds(FEEDS, dict(templates())).items():
        waiting = [(path.name, path.lstat()) for path in waiting_files(home, feed)]
        seen = sorted((file, stat.st_size, stat.st_mtime_ns) for file, stat in waiting)
        marks[name] = sha256(repr(seen).encode()).hexdigest()[:16] if seen else ""
    return marks

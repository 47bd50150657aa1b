"""Runs beside the graph: one writer, dead runs marked failed, files that arrive, kept history."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.components import reaper
from dagster_project.components.reaper import PROCESS_TAG, process_stamp, reap_dead_runs
from dagster_project.components.writer import WriterResource
from dagster_project.console.deployment import open_instance
from dagster_project.core.home import HOME_VARIABLE, Home
from dagster_project.core.keys import KEY_VARIABLE
from dagster_project.core.warehouse import WriterLock


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return Home(tmp_path / "home").create()


@pytest.fixture
def instance(home: Home) -> Iterator[dg.DagsterInstance]:
    with open_instance(home) as found:
        yield found


@dg.op
def look(writer: WriterResource) -> bool:
    """Whether the warehouse is there and the lock is held."""
    with writer.warehouse.connect(read_only=True) as connection:
        found = connection.execute("select count(*) from ops.batch").fetchone()
    return found == (0,) and writer.lock.descriptor > 0


@dg.job(
    resource_defs={"writer": WriterResource()},
    executor_def=dg.in_process_executor,
    config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
)
def looking() -> None:
    look()


def started_run(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    run = instance.create_run_for_job(looking, tags=tags, status=dg.DagsterRunStatus.STARTED)
    return run.run_id


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def dead_process() -> int:
    """The id of a process that has ended and been waited for."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_run_holds_the_lock_and_gives_it_back(home: Home, instance: dg.DagsterInstance) -> None:
    result = looking.execute_in_process(instance=instance)

    assert result.output_for_node("look") is True
    with WriterLock(home).acquire():
        pass


def test_a_run_beside_a_writer_ends_with_the_locks_own_words(
    home: Home, instance: dg.DagsterInstance
) -> None:
    with WriterLock(home):
        result = looking.execute_in_process(instance=instance, raise_on_error=False)

    [failure] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.RUN_FAILURE]
    assert not result.success
    assert "another refresh is writing" in str(failure.event_specific_data)


def test_a_run_is_marked_with_its_process(instance: dg.DagsterInstance) -> None:
    result = looking.execute_in_process(instance=instance)

    run = instance.get_run_by_id(result.run_id)
    assert run.tags[PROCESS_TAG] == process_stamp(os.getpid())


def test_a_run_whose_process_is_gone_is_marked_failed(instance: dg.DagsterInstance) -> None:
    gone = dead_process()
    dead = started_run(instance, {PROCESS_TAG: f"{gone}/1/boot"})
    alive = started_run(instance, {PROCESS_TAG: process_stamp(os.getpid())})

    assert reap_dead_runs(instance) == [dead]
    assert status(instance, dead) == dg.DagsterRunStatus.FAILURE
    assert status(instance, alive) == dg.DagsterRunStatus.STARTED


def test_another_process_with_the_same_id_does_not_keep_a_run_alive(
    instance: dg.DagsterInstance,
) -> None:
    """Ids are given out again: the start time and the boot tell processes apart."""
    process_id, started, boot = process_stamp(os.getpid()).split("/")
    earlier = started_run(instance, {PROCESS_TAG: f"{process_id}/{int(started) - 1}/{boot}"})
    before_boot = started_run(instance, {PROCESS_TAG: f"{process_id}/{started}/other"})

    assert set(reap_dead_runs(instance)) == {earlier, before_boot}


def test_a_run_without_a_mark_is_given_time_to_make_one(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmarked = started_run(instance, {})

    assert reap_dead_runs(instance) == []
    monkeypatch.setattr(reaper, "GRACE", timedelta(seconds=-1))
    assert reap_dead_runs(instance) == [unmarked]


def test_the_next_run_reaps_the_one_that_was_killed(instance: dg.DagsterInstance) -> None:
    killed = started_run(instance, {PROCESS_TAG: f"{dead_process()}/1/boot"})

    assert looking.execute_in_process(instance=instance).success
    assert status(instance, killed) == dg.DagsterRunStatus.FAILURE


def test_history_is_kept_where_the_stock_storage_finds_it(home: Home) -> None:
    with open_instance(home) as instance:
        run_id = looking.execute_in_process(instance=instance).run_id
    from dagster._core.storage.event_log import SqliteEventLogStorage

    stock = SqliteEventLogStorage(str(home.dagster / "history" / "runs"))
    kinds = [
        r.event_log_entry.dagster_event_type for r in stock.get_records_for_run(run_id).records
    ]

    assert dg.DagsterEventType.STEP_SUCCESS in kinds
    assert kinds[-1] == dg.DagsterEventType.RUN_SUCCESS


def test_history_is_closed_with_the_instance(home: Home) -> None:
    with open_instance(home) as instance:
        run_id = looking.execute_in_process(instance=instance).run_id
    path = home.dagster / "history" / "runs" / f"{run_id}.db"

    with sqlite3.connect(path) as alone:
        alone.execute("pragma locking_mode = exclusive")
        alone.execute("begin exclusive")
    alone.close()


def landing_tick(
    instance: dg.DagsterInstance, cursor: str | None
) -> tuple[list[dg.RunRequest], str | None]:
    from dagster_project.defs.landing import landing_folders

    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        data = landing_folders.evaluate_tick(context)
    return list(data.run_requests or []), data.cursor


def drop(home: Home, feed: str, name: str, text: str = "x\n") -> None:
    folder = home.landing / feed
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def test_files_that_arrive_ask_for_one_refresh_however_many_they_are(
    home: Home, instance: dg.DagsterInstance
) -> None:
    for number in range(300):
        drop(home, "lantern_rates", f"rates_{number:04}.csv")
    drop(home, "lantern_stores", "shops_2017.csv")

    [request], cursor = landing_tick(instance, None)
    again, cursor = landing_tick(instance, cursor)

    assert request.tags["arrived"] == "lantern_rates,lantern_stores"
    assert again == []
    assert set(json.loads(cursor)) >= {"lantern_rates", "lantern_stores", "journey_products"}


def test_another_file_in_one_folder_asks_again_under_another_key(
    home: Home, instance: dg.DagsterInstance
) -> None:
    drop(home, "lantern_rates", "rates_1.csv")
    [first], cursor = landing_tick(instance, None)
    drop(home, "lantern_rates", "rates_2.csv")

    [second], _ = landing_tick(instance, cursor)

    assert first.run_key != second.run_key


def test_the_same_delivery_after_it_was_taken_asks_again(
    home: Home, instance: dg.DagsterInstance
) -> None:
    drop(home, "lantern_rates", "rates_1.csv")
    [first], cursor = landing_tick(instance, None)
    shutil.rmtree(home.landing / "lantern_rates")
    taken, cursor = landing_tick(instance, cursor)
    drop(home, "lantern_rates", "rates_1.csv")
    [second], _ = landing_tick(instance, cursor)

    assert taken == []
    assert first.run_key != second.run_key


def test_no_refresh_is_asked_for_while_one_runs(home: Home, instance: dg.DagsterInstance) -> None:
    drop(home, "lantern_rates", "rates_1.csv")
    instance.add_run(
        dg.DagsterRun(
            job_name="refresh",
            status=dg.DagsterRunStatus.STARTED,
            tags={PROCESS_TAG: process_stamp(os.getpid())},
        )
    )

    requests, cursor = landing_tick(instance, None)

    assert requests == []
    assert cursor is None


def test_a_half_written_file_asks_for_nothing(home: Home, instance: dg.DagsterInstance) -> None:
    drop(home, "lantern_rates", "rates_1.csv.part")

    assert landing_tick(instance, None)[0] == []


def test_a_fresh_clone_knows_when_the_night_is(home: Home) -> None:
    from dagster_project.defs.jobs import jobs

    (home.root / "settings.yaml").write_text("time_zone: Asia/Shanghai\nnightly_refresh: '04:05'\n")
    [nightly] = jobs().schedules

    assert (nightly.cron_schedule, nightly.execution_timezone) == ("5 4 * * *", "Asia/Shanghai")

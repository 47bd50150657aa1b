"""The dbt build in its child process, on a project of three small models and real DuckDB."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_project import ALARMS, BUILDS, DOUBLED, SEEN, small_project

from dagster_project.core.home import PROJECT, Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.modelling import (
    KEPT_BUILDS,
    BuildOutcome,
    ModellingError,
    NodeProgress,
    build_models,
    build_state,
    ensure_manifest,
    models_are_current,
    project_fingerprint,
    record_build,
)
from dagster_project.core.warehouse import Warehouse, WarehouseBusyError, WriterLock


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return small_project(tmp_path / "dbt")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    home = Home(tmp_path / "home")
    found = Warehouse(home, load_master_key(home, {}))
    found.create()
    return found


def load_batch(warehouse: Warehouse, batch_id: int, loaded_count: int) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "insert into ops.batch values (?, 'tills', now(), 1, ?)", [batch_id, loaded_count]
        )


def doubled(warehouse: Warehouse) -> list[tuple[int, int]]:
    with warehouse.connect(read_only=True) as connection:
        return connection.execute("from core.doubled order by all").fetchall()


def test_a_build_fills_the_models_and_moves_the_watermark_to_the_last_batch(
    warehouse: Warehouse, project: Path
) -> None:
    load_batch(warehouse, 7, 21)
    seen: list[NodeProgress] = []

    with WriterLock(warehouse.home) as lock:
        outcome = build_models(warehouse, lock, on_node=seen.append, project=project)

    assert outcome.is_complete
    assert doubled(warehouse) == [(7, 42)]
    assert [(n.unique_id, n.status) for n in outcome.nodes] == [
        ("model.small.seen", "success"),
        ("model.small.doubled", "success"),
        ("test.small.positive", "pass"),
    ]
    assert [(n.unique_id, n.index, n.total) for n in seen] == [
        ("model.small.seen", 1, 3),
        ("model.small.doubled", 2, 3),
        ("test.small.positive", 3, 3),
    ]
    with warehouse.connect(read_only=True) as connection:
        assert build_state(connection, "models") == (7, project_fingerprint(project))
        assert models_are_current(connection, project_fingerprint(project))


def test_a_new_batch_makes_the_models_stale(warehouse: Warehouse, project: Path) -> None:
    code = project_fingerprint(project)
    load_batch(warehouse, 1, 5)
    with warehouse.connect() as connection:
        record_build(connection, "models", 1, code)
        before = models_are_current(connection, code)

    load_batch(warehouse, 2, 6)

    with warehouse.connect(read_only=True) as connection:
        assert (before, models_are_current(connection, code)) == (True, False)


def test_a_failed_test_is_in_the_outcome_and_leaves_the_watermark_where_it_was(
    warehouse: Warehouse, project: Path
) -> None:
    load_batch(warehouse, 1, 5)
    load_batch(warehouse, 2, -3)

    with WriterLock(warehouse.home) as lock:
        outcome = build_models(warehouse, lock, project=project)

    assert not outcome.is_complete
    assert [(n.unique_id, n.status, n.failures) for n in outcome.failed] == [
        ("test.small.positive", "fail", 1)
    ]
    with warehouse.connect(read_only=True) as connection:
        assert build_state(connection, "models") == (
            0,
            f"unfinished {project_fingerprint(project)}",
        )


def test_nodes_behind_a_broken_model_are_skipped_and_not_counted_as_failed(
    warehouse: Warehouse, project: Path
) -> None:
    (project / "models" / "seen.sql").write_text("select no_such_column from warehouse.ops.batch")

    with WriterLock(warehouse.home) as lock:
        outcome = build_models(warehouse, lock, project=project)

    assert [n.unique_id for n in outcome.failed] == ["model.small.seen"]
    assert [n.status for n in outcome.nodes] == ["error", "skipped", "skipped"]


def test_changed_code_rebuilds_incremental_models_in_full(
    warehouse: Warehouse, project: Path
) -> None:
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        first = build_models(warehouse, lock, project=project)
        with warehouse.connect() as connection:
            connection.execute("insert into core.seen values (99, 1)")
            connection.execute("delete from ops.source_state")
        again = build_models(warehouse, lock, project=project)
        kept = doubled(warehouse)
        (project / "models" / "seen.sql").write_text(SEEN + " where true")
        changed = build_models(warehouse, lock, project=project)

    is_full = [one.is_full_refresh for one in (first, again, changed)]
    assert is_full == [False, False, True]
    assert kept == [(1, 10), (99, 2)]
    assert doubled(warehouse) == [(1, 10)]


def test_only_what_lies_behind_a_changed_source_is_built_again(
    warehouse: Warehouse, project: Path
) -> None:
    (project / "models" / "alarms.sql").write_text(ALARMS)
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        everything = build_models(warehouse, lock, project=project)
        with warehouse.connect() as connection:
            connection.execute("insert into ops.alarm values (now(), 'disk', 'low', 'full')")
        alarmed = build_models(warehouse, lock, project=project)
        load_batch(warehouse, 2, 6)
        loaded = build_models(warehouse, lock, project=project)
        nothing = build_models(warehouse, lock, project=project)

    def built(outcome: BuildOutcome) -> list[str]:
        return sorted(node.unique_id.split(".")[2] for node in outcome.nodes)

    assert built(everything) == ["alarms", "doubled", "positive", "seen"]
    assert (alarmed.changed_sources, built(alarmed)) == (("ops.alarm",), ["alarms"])
    assert (loaded.changed_sources, built(loaded)) == (
        ("ops.batch",),
        ["doubled", "positive", "seen"],
    )
    assert (nothing.is_complete, nothing.nodes) == (True, ())
    assert doubled(warehouse) == [(1, 10), (2, 12)]
    with warehouse.connect(read_only=True) as connection:
        assert connection.execute("from core.alarms").fetchall() == [(1,)]


def test_a_reconciliation_of_a_table_with_a_view_is_judged_again_and_the_view_left(
    warehouse: Warehouse, project: Path
) -> None:
    plain = "{{ config(materialized='view', schema='core') }} select batch_id, loaded_count from "
    (project / "models" / "plain.sql").write_text(plain + "{{ source('ops', 'batch') }}")
    gone = (
        "from {{ ref('doubled') }} where batch_id not in (select batch_id from {{ ref('plain') }})"
    )
    (project / "tests" / "gone.sql").write_text(f"select batch_id {gone}")
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)
        load_batch(warehouse, 2, 6)
        sound = build_models(warehouse, lock, project=project)
        with warehouse.connect() as connection:
            connection.execute("delete from ops.batch where batch_id = 2")
        differing = build_models(warehouse, lock, project=project)

    assert sound.changed_sources == differing.changed_sources == ("ops.batch",)
    again = sorted(node.unique_id.split(".")[2] for node in sound.nodes)
    assert again == ["doubled", "gone", "positive", "seen"]
    assert [node.unique_id.split(".")[2] for node in differing.failed] == ["gone"]


def test_a_build_that_failed_is_not_current_and_goes_on_from_the_same_watermark(
    warehouse: Warehouse, project: Path
) -> None:
    load_batch(warehouse, 1, 5)
    code = project_fingerprint(project)
    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)
        load_batch(warehouse, 2, -3)
        failed = build_models(warehouse, lock, project=project)
        with warehouse.connect() as connection:
            is_current = models_are_current(connection, code)
            watermark = build_state(connection, "models")
            connection.execute("update ops.batch set loaded_count = 3 where batch_id = 2")
            connection.execute("delete from core.seen where batch_id = 2")
        mended = build_models(warehouse, lock, project=project)

    assert (failed.is_complete, is_current) == (False, False)
    assert watermark is not None
    assert watermark[0] == 1
    assert (mended.is_complete, mended.is_full_refresh) == (True, False)
    # What the failed build left is known of no model, so that none is passed over.
    assert (failed.changed_sources, mended.changed_sources) == (("ops.batch",), None)
    assert len(mended.nodes) == 3


def test_a_table_keeps_its_rows_when_it_cannot_be_made_anew(
    warehouse: Warehouse, project: Path
) -> None:
    broken = DOUBLED.replace("2 * loaded_count", "cast('none' as integer)")
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)
        (project / "models" / "doubled.sql").write_text(broken)
        failed = build_models(warehouse, lock, project=project)
        kept = doubled(warehouse)
        (project / "models" / "doubled.sql").write_text(DOUBLED.replace("table'", "view'"))
        load_batch(warehouse, 2, 6)
        as_view = build_models(warehouse, lock, project=project)

    assert [node.unique_id for node in failed.failed] == ["model.small.doubled"]
    assert kept == [(1, 10)]
    assert as_view.is_complete
    assert doubled(warehouse) == [(1, 10), (2, 12)]


def test_a_table_may_read_what_it_held_before(warehouse: Warehouse, project: Path) -> None:
    (project / "models" / "builds.sql").write_text(BUILDS)
    with WriterLock(warehouse.home) as lock:
        for batch in (1, 2, 3):
            load_batch(warehouse, batch, 5)
            assert build_models(warehouse, lock, project=project).is_complete

    with warehouse.connect(read_only=True) as connection:
        assert connection.execute("select max(builds) from core.builds").fetchone() == (3,)


def test_code_that_was_tried_and_taken_back_rebuilds_in_full(
    warehouse: Warehouse, project: Path
) -> None:
    """The attempt may have left models of its own behind."""
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)
        (project / "models" / "doubled.sql").write_text("select no_such_column")
        tried = build_models(warehouse, lock, project=project)
        (project / "models" / "doubled.sql").write_text(DOUBLED)
        taken_back = build_models(warehouse, lock, project=project)

    assert (tried.is_complete, taken_back.is_full_refresh) == (False, True)
    with warehouse.connect(read_only=True) as connection:
        assert models_are_current(connection, project_fingerprint(project))


def test_what_the_models_read_is_part_of_the_fingerprint(project: Path) -> None:
    plain = project_fingerprint(project)

    assert project_fingerprint(project, ["calendar 1"]) != plain
    assert project_fingerprint(project, ["calendar 1"]) != project_fingerprint(
        project, ["calendar 2"]
    )


def test_generated_folders_are_no_part_of_the_fingerprint(project: Path) -> None:
    plain = project_fingerprint(project)
    (project / "target").mkdir()
    (project / "target" / "run.sql").write_text("select 1")

    assert project_fingerprint(project) == plain


def test_the_manifest_needs_neither_key_nor_warehouse(tmp_path: Path, project: Path) -> None:
    manifest = ensure_manifest(Home(tmp_path / "fresh"), project)

    nodes = json.loads(manifest.read_text("utf-8"))["nodes"]
    assert {"model.small.seen", "model.small.doubled", "test.small.positive"} <= set(nodes)
    assert not (tmp_path / "fresh" / "private" / "master.key").exists()


def test_the_manifest_is_parsed_again_only_after_a_change(tmp_path: Path, project: Path) -> None:
    home = Home(tmp_path / "fresh")
    first = ensure_manifest(home, project).stat().st_mtime_ns
    unchanged = ensure_manifest(home, project).stat().st_mtime_ns
    (project / "models" / "third.sql").write_text("select 1 as one")
    manifest = ensure_manifest(home, project)

    assert unchanged == first
    assert "model.small.third" in json.loads(manifest.read_text("utf-8"))["nodes"]


def test_a_project_that_cannot_be_parsed_is_told_in_one_line(tmp_path: Path, project: Path) -> None:
    (project / "models" / "seen.sql").write_text("select {{ ref('nowhere') }}")

    with pytest.raises(ModellingError, match="nowhere") as caught:
        ensure_manifest(Home(tmp_path / "fresh"), project)

    assert "\n" not in str(caught.value)


def test_only_the_newest_target_folders_stay(warehouse: Warehouse, project: Path) -> None:
    builds = warehouse.home.dbt_target / "builds"
    for day in range(10, 20):
        (builds / f"202501{day}T000000000000").mkdir(parents=True)

    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)

    names = sorted(path.name for path in builds.iterdir())
    assert len(names) == KEPT_BUILDS
    assert names[0] == "20250116T000000000000"
    assert (builds / names[-1] / "run_results.json").exists()


def test_no_artefact_of_a_build_holds_the_key(warehouse: Warehouse, project: Path) -> None:
    load_batch(warehouse, 1, 5)
    with WriterLock(warehouse.home) as lock:
        build_models(warehouse, lock, project=project)

    key = load_master_key(warehouse.home, {})
    secrets = [key.warehouse_key().encode(), key.secret.hex().encode()]
    written = [p for p in warehouse.home.dbt_target.rglob("*") if p.is_file()]
    assert any(p.name == "manifest.json" for p in written)
    assert [p for p in written if any(s in p.read_bytes() for s in secrets)] == []


SLOW_BUILD = """
import sys
from pathlib import Path
from dagster_project.core.home import Home
from dagster_project.core.keys import load_master_key
from dagster_project.core.modelling import build_models
from dagster_project.core.warehouse import Warehouse, WriterLock

home = Home(Path(sys.argv[1]))
with WriterLock(home) as lock:
    build_models(
        Warehouse(home, load_master_key(home, {})), lock, project=Path(sys.argv[2]),
        on_node=lambda node: print(node.unique_id, flush=True),
    )
"""
# Minutes of work for the engine, in no memory.
ENDLESS = """
{{ config(materialized='table', schema='core') }}
-- depends_on: {{ ref('seen') }}
select sum(a.range * b.range) as total from range(10000000) as a, range(1000000) as b
"""


def test_dbt_dies_with_the_refresh_that_started_it(warehouse: Warehouse, project: Path) -> None:
    (project / "models" / "doubled.sql").write_text(ENDLESS)
    (project / "tests" / "positive.sql").unlink()
    command = [sys.executable, "-c", SLOW_BUILD, str(warehouse.home.root), str(project)]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as refresh:
        assert refresh.stdout is not None
        assert refresh.stdout.readline().strip() == "model.small.seen"
        with pytest.raises(WarehouseBusyError, match="another refresh is writing"):
            WriterLock(warehouse.home).acquire()
        refresh.send_signal(signal.SIGKILL)

    started = time.monotonic()
    with WriterLock(warehouse.home).acquire(wait_seconds=10):
        assert time.monotonic() - started < 10
        with warehouse.connect(read_only=True) as connection:
            assert connection.execute("select count(*) from core.seen").fetchone() == (0,)

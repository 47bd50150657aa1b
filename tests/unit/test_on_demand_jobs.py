"""Jobs started by hand in the UI: what they do, and how they end where there is nothing to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from publications import new_batch, publish_again, read
from sales_warehouse import build_sales_warehouse

from dagster_project.components.writer import WriterResource
from dagster_project.core.audit_log import verify as verify_log
from dagster_project.core.home import HOME_VARIABLE
from dagster_project.core.keys import KEY_VARIABLE
from dagster_project.core.warehouse import Warehouse
from dagster_project.defs.on_demand import rollback_job, share_job, verify_job


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A warehouse of which two versions were published."""
    made = build_sales_warehouse(tmp_path / "home")
    monkeypatch.setenv(HOME_VARIABLE, str(made.home.root))
    monkeypatch.setenv(KEY_VARIABLE, made.key.secret.hex())
    publish_again(made)
    new_batch(made)
    publish_again(made)
    return made


def ran(job: dg.JobDefinition, **config: Any) -> dg.ExecuteInProcessResult:
    return job.execute_in_process(
        run_config={"ops": {op: {"config": given} for op, given in config.items()}},
        resources={"writer": WriterResource()},
        raise_on_error=False,
    )


def why(ended: dg.ExecuteInProcessResult) -> str:
    (failure,) = ended.get_step_failure_events()
    return failure.step_failure_data.user_failure_data.description


def test_a_version_is_taken_back_and_written_to_the_log(published: Warehouse) -> None:
    assert ran(rollback_job).success
    assert read(published, "select max(version) from ops.publication") == [(1,)]
    assert verify_log(published.home, published.key).is_good
    assert '"rollback"' in (published.home.private / "audit.jsonl").read_text("utf-8")

    again = ran(rollback_job)
    assert not again.success
    assert why(again).startswith("nothing was changed: ")


def test_everything_kept_is_looked_at_and_damage_fails_the_run(published: Warehouse) -> None:
    assert ran(verify_job).success
    path = published.home.private / "audit.jsonl"
    path.write_text(path.read_text("utf-8").replace('"publish"', '"Publish"', 1), "utf-8")

    damaged = ran(verify_job)
    assert not damaged.success
    assert why(damaged).startswith("not as it should be: audit log")


def test_nothing_is_given_to_somebody_unknown(published: Warehouse) -> None:
    refused = ran(share_job, make_extract={"partner": "nobody"})
    assert not refused.success
    assert why(refused).startswith("nothing was given away: unknown partner 'nobody'")

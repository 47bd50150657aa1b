"""Quality: suites of expectations, judged as SQL in the warehouse, with counts as their answer."""

from dagster_project.core.quality.docs import write_data_docs
from dagster_project.core.quality.loading import load_suites
from dagster_project.core.quality.results import CheckResult, blocking_failures, record_results
from dagster_project.core.quality.running import judge, run_suites
from dagster_project.core.quality.standing import (
    kept_results,
    record_states,
    recorded_states,
    suite_states,
)
from dagster_project.core.quality.suites import Expected, Suite, SuiteError

__all__ = [
    "CheckResult",
    "Expected",
    "Suite",
    "SuiteError",
    "blocking_failures",
    "judge",
    "kept_results",
    "load_suites",
    "record_results",
    "record_states",
    "recorded_states",
    "run_suites",
    "suite_states",
    "write_data_docs",
]

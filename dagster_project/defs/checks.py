"""Expectation suites as asset checks: one step per layer, one check per expectation."""

from __future__ import annotations

import dagster as dg

from dagster_project.components.judging import suite_checks
from dagster_project.core.home import EXPECTATIONS
from dagster_project.core.quality import load_suites

# What a failed blocking suite stops: raw everything after it, identity the models, marts the
# forecasts and the publication, forecast the publication.
LAYERS = {
    "raw_checks": {"raw"},
    "identity_checks": {"identity", "reference"},
    "mart_checks": {"staging", "intermediate", "core", "customer"},
    "forecast_checks": {"forecast"},
}


@dg.definitions
def checks() -> dg.Definitions:
    """Every ``expectations/<schema>/<table>.yaml``, found by scan."""
    suites = load_suites(EXPECTATIONS)
    layers = {
        name: [suite for suite in suites if suite.schema_name in schemas]
        for name, schemas in LAYERS.items()
    }
    return dg.Definitions(
        asset_checks=[suite_checks(name, found) for name, found in layers.items() if found]
    )

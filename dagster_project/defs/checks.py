"""Expectation suites as asset checks: one step per layer, one check per expectation."""

from __future__ import annotations

import dagster as dg

from dagster_project.components.judging import Layer, suite_checks
from dagster_project.core.home import EXPECTATIONS
from dagster_project.core.quality import load_suites
from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA

# What a failed blocking suite stops: raw everything after it, identity the models, marts the
# forecasts and the publication, forecast the publication. Schemas judged, builds that write them.
LAYERS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "raw_checks": (frozenset({"raw"}), ()),
    "identity_checks": (frozenset({"identity", "reference"}), ("identity",)),
    "mart_checks": (
        frozenset({"staging", "intermediate", *MART_SCHEMAS, SENSITIVE_SCHEMA}),
        ("models",),
    ),
    "forecast_checks": (frozenset({"forecast"}), ("forecast",)),
}


@dg.definitions
def checks() -> dg.Definitions:
    """Every ``expectations/<schema>/<table>.yaml``, found by scan."""
    suites = load_suites(EXPECTATIONS)
    layers = [
        Layer(name, tuple(suite for suite in suites if suite.schema_name in schemas), builds)
        for name, (schemas, builds) in LAYERS.items()
    ]
    return dg.Definitions(asset_checks=[suite_checks(layer) for layer in layers if layer.suites])

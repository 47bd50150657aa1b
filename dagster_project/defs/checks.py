"""Expectation suites as asset checks: one step per layer, one check per expectation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from dagster_project.components.judging import Layer, suite_checks
from dagster_project.components.known_tables import known_tables
from dagster_project.components.translator import read_manifest
from dagster_project.core.home import EXPECTATIONS, locate_home
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.quality import Suite, SuiteError, load_suites
from dagster_project.core.warehouse import MART_SCHEMAS, SENSITIVE_SCHEMA

# What a failed blocking suite stops: raw everything after it, identity the models, marts the
# forecasts and the publication, forecast the publication.
LAYERS: dict[str, frozenset[str]] = {
    "raw_checks": frozenset({"raw"}),
    "identity_checks": frozenset({"identity", "reference"}),
    "mart_checks": frozenset({"staging", "intermediate", *MART_SCHEMAS, SENSITIVE_SCHEMA}),
    "forecast_checks": frozenset({"forecast"}),
}
SOUND_SUITES = "suites.fingerprint"  # beside the manifest's; of suites that were found sound


@dg.definitions
def checks() -> dg.Definitions:
    """Every ``expectations/<schema>/<table>.yaml``, found by scan and held against the tables.

    Raises SuiteError with file and line of every mistake.
    """
    home = locate_home()
    known = known_tables(read_manifest(ensure_manifest(home)))
    suites = load_suites(EXPECTATIONS, known, home.dbt_target / SOUND_SUITES)
    if unjudged := list(_unjudged(suites)):
        raise SuiteError(unjudged)
    layers = [
        Layer(name, tuple(suite for suite in suites if suite.schema_name in schemas), schemas)
        for name, schemas in LAYERS.items()
    ]
    return dg.Definitions(asset_checks=[suite_checks(layer) for layer in layers if layer.suites])


def _unjudged(suites: Sequence[Suite]) -> Iterator[str]:
    """A suite of a schema that no step judges would be a promise that nobody keeps."""
    judged = frozenset[str]().union(*LAYERS.values())
    for suite in suites:
        if suite.schema_name not in judged:
            path = f"{EXPECTATIONS.name}/{suite.name}.yaml"
            yield f"{path}: schema: {suite.schema_name} is judged by no step"

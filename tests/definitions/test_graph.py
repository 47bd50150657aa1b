"""The code location: one connected graph, every asset described and owned, one name everywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import dagster as dg
import pytest
import yaml

from dagster_project.core.declarations import load_feeds, load_templates
from dagster_project.core.home import (
    EXPECTATIONS,
    FEEDS,
    HOME_VARIABLE,
    PACKAGE,
    PROJECT,
    TEMPLATES,
    Home,
)
from dagster_project.core.modelling import ensure_manifest
from dagster_project.core.quality import load_suites
from dagster_project.core.warehouse import SENSITIVE_SCHEMA

CORE = PACKAGE / "core"
# As in core's own words; what stands further right may use what stands further left.
ORDER = [
    "yaml_files", "home", "keys", "audit_log", "ops_tables", "warehouse", "dbt_plugin",
    "declarations", "calendars", "suppression", "feeds", "proposing", "model_sources",
    "dbt_process", "modelling", "model_checks", "quality", "anomalies", "grading", "identity",
    "forecasting", "mining", "privacy", "publishing", "reading", "exporting", "reports", "erasure",
    "withdrawing", "sharing", "backup", "rotation",
]  # fmt: skip
EXTERNAL_TO_THE_GRAPH = {"simulation"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def found(home: Home) -> dg.Definitions:
    """The location as a fresh clone loads it: no key, no warehouse, no manifest."""
    from dagster_project.definitions import definitions

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home.root))
        return definitions()


@pytest.fixture(scope="module")
def specs(found: dg.Definitions) -> list[dg.AssetSpec]:
    return list(found.resolve_all_asset_specs())


def test_loading_the_location_needs_no_key_and_makes_none(
    found: dg.Definitions, home: Home
) -> None:
    assert found.resolve_job_def("refresh") is not None
    assert not home.key_file.exists()
    assert not home.warehouse.exists()


def test_every_upstream_key_is_an_asset_of_this_location(specs: list[dg.AssetSpec]) -> None:
    defined = {spec.key for spec in specs}
    wanted = {dep.asset_key for spec in specs for dep in spec.deps}

    assert wanted - defined == set()


def test_no_asset_is_external(found: dg.Definitions) -> None:
    graph = found.resolve_asset_graph()

    assert [key for key in graph.get_all_asset_keys() if not graph.get(key).is_materializable] == []


def test_every_asset_leads_to_the_report_or_is_read_by_no_model_yet(
    found: dg.Definitions, specs: list[dg.AssetSpec]
) -> None:
    graph = found.resolve_asset_graph()
    report = dg.AssetKey(["report", "overview"])
    behind = {report} | graph.get_ancestor_asset_keys(report)
    loose = {spec.key.path[0] for spec in specs if spec.key not in behind}

    # Leaves are what no report reads yet, and what a clinic did for whom, which none may.
    assert loose <= {"feed", "raw", "staging", "identity", "intermediate", SENSITIVE_SCHEMA}
    assert dg.AssetKey(["feed", "journey_transactions"]) in behind
    assert dg.AssetKey(["feed", "lantern_receipts"]) in behind


@pytest.mark.parametrize("attribute", ["owners", "group_name", "description", "kinds"])
def test_every_asset_says_who_what_and_how(specs: list[dg.AssetSpec], attribute: str) -> None:
    assert [s.key.to_user_string() for s in specs if not getattr(s, attribute)] == []


def test_an_assets_group_is_its_layer(specs: list[dg.AssetSpec]) -> None:
    other = {"feed": "feeds", "report": "reports"}

    for spec in specs:
        layer = spec.key.path[0]
        assert spec.group_name == other.get(layer, layer), spec.key


def test_every_model_is_an_asset_named_like_its_schema_and_file(
    specs: list[dg.AssetSpec], home: Home
) -> None:
    import json

    manifest = json.loads(ensure_manifest(home).read_text("utf-8"))
    models = [n for n in manifest["nodes"].values() if n["resource_type"] == "model"]
    keys = {spec.key.to_user_string() for spec in specs}

    assert len(models) > 10
    for model in models:
        assert f"{model['schema']}/{model['name']}" in keys
        assert Path(model["original_file_path"]).stem == model["name"]
        assert model["schema"] in model["original_file_path"].split("/")


def test_every_raw_table_hangs_on_the_feeds_into_its_template(specs: list[dg.AssetSpec]) -> None:
    templates = load_templates(TEMPLATES)
    feeds = load_feeds(FEEDS, templates)
    by_key = {spec.key.to_user_string(): spec for spec in specs}

    own = [template for template in templates.values() if template.extends is None]
    for template in own:
        into = {
            f"feed/{feed.feed}"
            for feed in feeds.values()
            if templates[feed.template].family == template.template
        }
        for record in template.records:
            spec = by_key[f"raw/{template.table(record)}"]
            assert {dep.asset_key.to_user_string() for dep in spec.deps} == into
    tables = {f"raw/{template.table(record)}" for template in own for record in template.records}
    assert {key for key in by_key if key.startswith("raw/")} == tables


def test_a_feed_into_a_custom_template_stands_before_the_tables_of_the_extended_one() -> None:
    from dagster_project.defs.raw import feeds_into

    templates = load_templates(TEMPLATES)
    shipped = load_feeds(FEEDS, templates)["lantern_receipts"]
    feeds = [
        shipped.model_copy(update={"feed": template, "template": template})
        for template in ("pos_cinema", "pos_standard", "web_order")
    ]

    assert feeds_into(templates["pos_standard"], feeds, templates) == ["pos_cinema", "pos_standard"]


def test_a_raw_table_says_what_custom_templates_add_to_it(specs: list[dg.AssetSpec]) -> None:
    [line] = [s for s in specs if s.key == dg.AssetKey(["raw", "pos_standard__line"])]
    columns = {c.name: c for c in line.metadata["dagster/column_schema"].columns}

    said = columns["_extra"].description
    assert "pos_cinema: show_id, show_starts_at, film_code" in said
    assert "pos_clinic: service_code, practitioner_code_token" in said
    assert "diagnosis_code" not in said  # dropped: it is in no table
    assert "film_code" not in columns


def test_every_feed_is_one_file_and_one_asset(specs: list[dg.AssetSpec]) -> None:
    keys = {spec.key.to_user_string() for spec in specs}
    folders = [path for path in FEEDS.iterdir() if path.is_dir() and path.name != "__pycache__"]

    assert {key for key in keys if key.startswith("feed/")} == {f"feed/{p.name}" for p in folders}
    for folder in folders:
        assert [path.name for path in folder.iterdir()] == ["defs.yaml"]


def test_every_suite_judges_an_asset_and_is_a_check_of_it(
    found: dg.Definitions, specs: list[dg.AssetSpec]
) -> None:
    keys = {spec.key for spec in specs}
    checks = found.resolve_asset_graph().asset_check_keys

    for suite in load_suites(EXPECTATIONS):
        key = dg.AssetKey([suite.schema_name, suite.table])
        assert key in keys
        assert dg.AssetCheckKey(key, "expectations") in checks


def test_a_failed_blocking_raw_check_stands_before_identity_and_models(
    found: dg.Definitions,
) -> None:
    steps = _steps_behind(found, "raw_checks")

    assert {"identity", "models", "forecast", "published__analyst", "report__overview"} <= steps


def test_a_failed_blocking_mart_check_stands_before_forecast_and_publication(
    found: dg.Definitions,
) -> None:
    steps = _steps_behind(found, "mart_checks")

    assert {"forecast", "published__analyst", "report__overview"} <= steps
    assert "models" not in steps


def _steps_behind(found: dg.Definitions, step: str) -> set[str]:
    """Names of the refresh's steps that wait for a step, directly or not."""
    structure = found.resolve_job_def("refresh").dependencies
    above = {
        node.alias or node.name: {
            source.node for dep in inputs.values() for source in dep.get_node_dependencies()
        }
        for node, inputs in structure.items()
    }
    behind: set[str] = set()
    grown = True
    while grown:
        more = {name for name, sources in above.items() if sources & (behind | {step})}
        grown = not more <= behind
        behind |= more
    return behind


def test_every_step_of_a_refresh_shares_the_writers_pool(found: dg.Definitions) -> None:
    job = found.resolve_job_def("refresh")

    assert {node.definition.pool for node in job.nodes} == {"writer"}


def test_a_run_is_one_process(found: dg.Definitions) -> None:
    assert found.resolve_job_def("refresh").executor_def.name == "in_process"


def test_the_night_is_the_retailers_night(found: dg.Definitions) -> None:
    schedules = {schedule.name: schedule for schedule in found.schedules or []}

    assert {name: schedule.cron_schedule for name, schedule in schedules.items()} == {
        "nightly_refresh": "30 2 * * *",
        "nightly_backup": "30 4 * * *",
        "weekly_restore_drill": "30 5 * * 0",
    }
    assert {s.execution_timezone for s in schedules.values()} == {"America/New_York"}


def test_only_the_schedule_and_the_sensor_that_are_meant_are_there(found: dg.Definitions) -> None:
    assert [s.name for s in found.sensors or []] == ["landing_folders"]
    assert found.sensors[0].default_status == dg.DefaultSensorStatus.STOPPED
    assert {"refresh", "publish"} <= {job.name for job in found.jobs or []}


def test_workspace_and_project_name_the_same_location() -> None:
    import tomllib

    [entry] = yaml.safe_load((PROJECT / "workspace.yaml").read_text("utf-8"))["load_from"]
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["dg"][
        "project"
    ]

    assert entry["python_module"]["location_name"] == project["code_location_name"] == "tillhouse"
    assert entry["python_module"]["module_name"] == project["code_location_target_module"]


def test_telemetry_is_off_in_what_is_shipped() -> None:
    instance = yaml.safe_load((PACKAGE / "dagster.yaml").read_text("utf-8"))

    assert instance["telemetry"] == {"enabled": False}


def _imports(path: Path) -> set[str]:
    """Full names of every module a file imports, those inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


CORE_FILES = sorted(CORE.rglob("*.py"))


def _part(name: str) -> str | None:
    """``dagster_project.core.feeds.load`` → ``feeds``; None for anything outside core."""
    prefix = "dagster_project.core."
    return name.removeprefix(prefix).partition(".")[0] if name.startswith(prefix) else None


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda p: p.relative_to(CORE).as_posix())
def test_the_core_knows_nothing_of_orchestration(path: Path) -> None:
    outer = {
        name for name in _imports(path) if name.partition(".")[0] in {"dagster", "dagster_dbt"}
    }
    inner = {
        name
        for name in _imports(path)
        if name.startswith("dagster_project.")
        and _part(name) is None
        and name != "dagster_project.core"
    }

    assert outer | inner == set()


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda p: p.relative_to(CORE).as_posix())
def test_a_core_module_uses_only_those_before_it(path: Path) -> None:
    own = path.relative_to(CORE).parts[0].removesuffix(".py")
    used = {part for name in _imports(path) if (part := _part(name)) is not None} - {own}
    if own in EXTERNAL_TO_THE_GRAPH:
        assert used <= {"home", "keys", "declarations"}
    elif own != "__init__":
        assert used <= set(ORDER[: ORDER.index(own)])

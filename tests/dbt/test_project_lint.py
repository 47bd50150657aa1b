"""What every model of the dbt project keeps to, read from dbt's manifest and the files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.core.declarations import load_templates
from dagster_project.core.home import DBT_PROJECT, TEMPLATES

Node = dict[str, Any]
Manifest = dict[str, Any]

CLASSES = {"public", "internal", "personal", "sensitive", "card"}
MODEL_LINES = 150
YAML_LINES = 400
WIDTH = 100
PLURALS = {
    "receipt": "receipts", "line": "lines", "tender": "tenders", "step": "steps",
    "order": "orders", "payment": "payments", "event": "events", "member": "members",
    "entry": "entries", "change": "changes", "post": "posts", "product": "products",
    "store": "stores", "promotion": "promotions", "coupon": "coupons", "target": "targets",
    "redemption": "redemptions", "count": "counts", "rate": "rates", "tax": "taxes",
    "discount": "discounts", "refund": "refunds", "fulfilment": "fulfilments",
    "placement": "placements", "price": "prices", "employee": "employees",
    "movement": "movements", "observation": "observations", "answer": "answers", "case": "cases",
    "session": "sessions", "transaction": "transactions", "decision": "decisions",
}  # fmt: skip
# Written by the spine itself, not by a template: sources of staging folders of their own.
SYSTEM_SOURCES = {"ops", "reference", "identity"}
# Added by staging to a raw table's declared columns; what a custom template puts into
# extra_fields may be anything, so the whole is as sensitive as its worst.
STAGING_COLUMNS = {
    "extra_fields": "sensitive",
    "sender": "public",
    "record_key": "internal",
    "batch_id": "internal",
}
NAMES = {
    "staging": r"stg_[a-z0-9_]+__[a-z0-9_]+",
    "intermediate": r"int_[a-z0-9]+__[a-z0-9_]+",
    "core": r"(dim|fct|bridge)_[a-z0-9_]+",
}
# What a layer may read: its own words for "only staging reads sources, marts read the star".
MAY_READ = {
    "staging": set(),
    "intermediate": {"staging", "intermediate", "core"},
    "core": {"staging", "intermediate", "core"},
}
A_MART = {"core", "intermediate"}


@pytest.fixture(scope="module")
def models(manifest) -> list[Node]:
    found = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["package_name"] == "tillhouse"
    ]
    assert len(found) > 40
    return found


def layer(node: Node) -> str:
    """staging, intermediate, core, or the subject of a mart."""
    parts = Path(node["original_file_path"]).parts
    return parts[2] if parts[1] == "marts" else parts[1]


def facts(models: list[Node]) -> list[Node]:
    return [node for node in models if node["name"].startswith("fct_")]


def files(suffix: str) -> Iterator[Path]:
    return DBT_PROJECT.rglob(f"*{suffix}")


def grain(node: Node) -> str:
    return node["raw_code"].splitlines()[0].removeprefix("-- Grain: ").rstrip(".")


def parents(node: Node, kind: str) -> list[str]:
    return [name for name in node["depends_on"]["nodes"] if name.startswith(f"{kind}.")]


def keys_of(manifest: Manifest, node: Node) -> dict[str, Any]:
    """What the model's sound_keys test is told: primary, foreign, touched_days; empty without."""
    for test in manifest["nodes"].values():
        metadata = test.get("test_metadata") or {}
        if test.get("attached_node") == node["unique_id"] and metadata["name"] == "sound_keys":
            return metadata["kwargs"]
    return {}


def model_tests_on(manifest: Manifest, node: Node) -> set[str]:
    """Names of the data tests on the model as a whole."""
    return {
        test["test_metadata"]["name"]
        for test in manifest["nodes"].values()
        if test.get("attached_node") == node["unique_id"] and not test.get("column_name")
    }


def test_only_staging_reads_sources(models):
    offenders = [n["name"] for n in models if layer(n) != "staging" and parents(n, "source")]
    assert offenders == []


def test_a_staging_model_reads_one_source_and_no_model(models):
    for node in models:
        if layer(node) == "staging":
            # Besides its own table, the loader's list of keys that came with two contents.
            own = [s for s in parents(node, "source") if not s.endswith(".ops.raw_conflict")]
            is_the_list = node["name"] == "stg_ops__raw_conflicts"
            assert len(own) == (0 if is_the_list else 1), node["name"]
            assert parents(node, "model") == [], node["name"]


def test_every_layer_reads_only_what_it_may(models):
    layers = {node["unique_id"]: layer(node) for node in models}
    for node in models:
        own = layer(node)
        allowed = MAY_READ.get(own, A_MART | {own})
        read = {layers[parent] for parent in parents(node, "model")}
        assert read <= allowed, f"{node['name']} reads {read - allowed}"


def test_models_are_named_after_their_layer(models):
    for node in models:
        pattern = NAMES.get(layer(node))
        assert pattern is None or re.fullmatch(pattern, node["name"]), node["name"]
        assert node["schema"] == layer(node), node["name"]
        assert node["alias"] == node["name"]


def test_a_model_lies_in_the_folder_of_its_subject(models):
    for node in models:
        if layer(node) in {"staging", "intermediate"}:
            subject = node["name"].split("_", 1)[1].split("__")[0]
            assert Path(node["original_file_path"]).parent.name == subject, node["name"]


def test_every_model_says_what_one_row_is(models):
    for node in models:
        assert node["description"].startswith("One row per "), node["name"]


def test_every_model_has_an_owner_and_a_group(models):
    for node in models:
        assert node["config"]["meta"].get("owner"), node["name"]
        assert node["group"], node["name"]


def test_every_column_is_described_and_classed(models):
    for node in models:
        assert node["columns"], node["name"]
        for name, column in node["columns"].items():
            place = f"{node['name']}.{name}"
            assert len(column["description"]) >= 4, place
            assert column["config"]["meta"].get("class") in CLASSES, place


def test_the_columns_of_every_built_table_are_the_described_ones(models, built):
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in built.query(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_catalog = 'warehouse' order by ordinal_position"
    ):
        found.setdefault((schema, table), []).append(column)
    differing = {
        node["name"]: sorted(set(found[node["schema"], node["name"]]) ^ set(node["columns"]))
        for node in models
        if set(found[node["schema"], node["name"]]) != set(node["columns"])
    }
    assert differing == {}


def test_marts_have_an_enforced_contract_with_every_type(models):
    for node in models:
        if node["original_file_path"].startswith("models/marts/"):
            assert node["config"]["contract"]["enforced"], node["name"]
            untyped = [name for name, c in node["columns"].items() if not c["data_type"]]
            assert untyped == [], node["name"]


def test_every_fact_states_its_grain_in_the_words_of_its_description(models):
    for node in facts(models):
        first = node["raw_code"].splitlines()[0]
        assert first.startswith("-- Grain: one row per "), node["name"]
    differing = [
        node["name"]
        for node in facts(models)
        if not node["description"].lower().startswith(grain(node).lower())
    ]
    assert differing == []


def test_every_key_of_a_fact_is_judged(models, manifest):
    unjudged = []
    for node in facts(models):
        judged = keys_of(manifest, node)
        own = next(iter(node["columns"]))
        assert judged.get("primary") == own, node["name"]
        # A degenerate key leads to no table: all there is of it stands in the fact.
        keys = [
            name
            for name, column in node["columns"].items()
            if name.endswith("_key")
            and name != own
            and not column["config"]["meta"].get("degenerate")
        ]
        unjudged += [f"{node['name']}.{key}" for key in keys if key not in judged["foreign"]]
    assert unjudged == []


def test_a_table_that_is_kept_by_day_is_judged_by_the_same_days(models, manifest):
    for node in models:
        days = re.search(r"clear_touched_days\('(\w+)'\)", node["raw_code"])
        if days and (judged := keys_of(manifest, node)):
            assert judged.get("touched_days") == days[1], node["name"]


def test_every_key_of_a_dimension_is_unique_and_every_version_unbroken(models, manifest):
    for node in models:
        if node["name"].startswith("dim_"):
            assert keys_of(manifest, node).get("primary") == next(iter(node["columns"]))
            if "valid_from_at" in node["columns"]:
                assert "unbroken_intervals" in model_tests_on(manifest, node), node["name"]


def test_every_mart_says_what_stands_once_in_it(models, manifest):
    marts = [node for node in models if node["original_file_path"].startswith("models/marts/")]
    assert [node["name"] for node in marts if not keys_of(manifest, node)] == []


def test_every_template_record_is_staged_column_by_column_and_class_by_class(models):
    staged = {node["name"]: node for node in models if layer(node) == "staging"}
    expected: set[str] = set()
    # A custom template's rows are staged with those of the template it extends.
    own = [t for t in load_templates(TEMPLATES).values() if t.extends is None]
    for template in own:
        for record_name, record in template.records.items():
            name = f"stg_{template.template}__{PLURALS[record_name]}"
            expected.add(name)
            classes = dict(STAGING_COLUMNS)
            for field_name, field in record.fields.items():
                for column in field.columns(field_name):
                    classes[column] = field.classification.value
            columns = staged[name]["columns"].items()
            assert {n: c["config"]["meta"]["class"] for n, c in columns} == classes, name
    system = {n for n in staged if n.split("__")[0].removeprefix("stg_") in SYSTEM_SOURCES}
    assert set(staged) - system == expected


def test_every_raw_table_of_the_templates_is_a_source_and_no_other(manifest):
    declared = {t.table(r) for t in load_templates(TEMPLATES).values() for r in t.records}
    sources = manifest["sources"].values()
    assert {s["name"] for s in sources if s["source_name"] == "raw"} == declared
    assert {s["source_name"] for s in sources} == SYSTEM_SOURCES | {"raw"}
    assert all(s["description"] for s in sources)


def test_select_star_stands_on_the_last_line_only():
    offenders = []
    for path in (DBT_PROJECT / "models").rglob("*.sql"):
        body, _, last = path.read_text("utf-8").rstrip().rpartition("\n")
        star = re.search(r"select\s+(distinct\s+)?([a-z_]+\.)?\*", body)
        if star or not re.fullmatch(r"select \* from [a-z_0-9]+", last):
            offenders.append(path.name)
    assert offenders == []


def test_models_and_declarations_stay_short():
    too_long = [
        path.name
        for path in files(".sql")
        if len(path.read_text("utf-8").splitlines()) > MODEL_LINES
    ]
    too_long += [
        path.name
        for path in [*files(".yml"), *files(".yaml")]
        if len(path.read_text("utf-8").splitlines()) > YAML_LINES
    ]
    assert too_long == []


def test_lines_stay_within_a_hundred_columns():
    offenders = [
        f"{path.name}:{number}"
        for path in [*files(".sql"), *files(".yml")]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if len(line) > WIDTH
    ]
    assert offenders == []


def test_one_macro_a_file_named_after_it():
    for path in (DBT_PROJECT / "macros").glob("*.sql"):
        found = re.findall(r"{%-?\s*(?:macro|test) ([a-z_0-9]+)", path.read_text("utf-8"))
        public = {name.split("__", 1)[-1] for name in found}
        assert public == {path.stem.removeprefix("test_")}, path.name
    for path in (DBT_PROJECT / "macros" / "materializations").glob("*.sql"):
        (found,) = re.findall(r"{% materialization (\w+), adapter", path.read_text("utf-8"))
        assert found == path.stem


def test_every_rule_in_a_model_has_a_unit_test(models, manifest):
    tested = {
        parent for test in manifest["unit_tests"].values() for parent in test["depends_on"]["nodes"]
    }
    ruled = [
        node
        for node in models
        if layer(node) == "intermediate"
        and re.search(r"\bcase\b|\bover\s*\(|version_intervals", node["raw_code"])
    ]
    assert ruled
    untested = [node["name"] for node in ruled if node["unique_id"] not in tested]
    assert untested == []


def test_nothing_runs_before_or_after_a_build(manifest):
    # A hook over the whole project is work nobody sees in the graph.
    hooks = [n for n in manifest["nodes"].values() if n["resource_type"] == "operation"]
    assert [hook["name"] for hook in hooks if hook["package_name"] == "tillhouse"] == []

"""A dbt project of two models and a test, as tests of building need it."""

from __future__ import annotations

import shutil
from pathlib import Path

from dagster_project.core.home import DBT_PROJECT

SEEN = """
{{ config(materialized='incremental', unique_key='batch_id', schema='core') }}
select batch_id, loaded_count from {{ source('ops', 'batch') }}
"""
SOURCES = """
sources:
  - name: ops
    tables: [{name: batch}, {name: alarm}]
"""
ALARMS = """
{{ config(materialized='table', schema='core') }}
select count(*) as alarm_count from {{ source('ops', 'alarm') }}
"""
DOUBLED = """
{{ config(materialized='table', schema='core') }}
select batch_id, 2 * loaded_count as doubled from {{ ref('seen') }}
"""
# A table that goes on from what it held before.
BUILDS = """
{{ config(materialized='table', schema='core') }}
select 1 {% if load_relation(this) %}+ (select max(builds) from {{ this }}){% endif %} as builds
from {{ ref('seen') }}
"""
POSITIVE = "select batch_id from {{ ref('doubled') }} where doubled <= 0"


def small_project(folder: Path) -> Path:
    """A dbt project of its own with the shipped profile: one incremental model, one table."""
    (folder / "models").mkdir(parents=True)
    (folder / "tests").mkdir()
    shutil.copy2(DBT_PROJECT / "profiles.yml", folder / "profiles.yml")
    (folder / "dbt_project.yml").write_text("name: small\nversion: 1.0.0\nprofile: tillhouse\n")
    macros = folder / "macros"
    macros.mkdir()
    shutil.copy2(DBT_PROJECT / "macros" / "generate_schema_name.sql", macros)
    shutil.copytree(DBT_PROJECT / "macros" / "materializations", macros / "materializations")
    (folder / "models" / "sources.yml").write_text(SOURCES)
    (folder / "models" / "seen.sql").write_text(SEEN)
    (folder / "models" / "doubled.sql").write_text(DOUBLED)
    (folder / "tests" / "positive.sql").write_text(POSITIVE)
    return folder

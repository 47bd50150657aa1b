"""The key reaches dbt's connection and nothing that dbt writes."""

from __future__ import annotations

from small_warehouse import KEY, SmallWarehouse

SECRETS = (KEY.warehouse_key(), KEY.secret.hex())


def artefacts_with_a_key(small: SmallWarehouse) -> list[str]:
    """Files below the home, the warehouse's own directory left out, that hold a key."""
    found = []
    for path in small.home.root.rglob("*"):
        if path.is_file() and small.home.private not in path.parents:
            content = path.read_bytes()
            if any(secret.encode() in content for secret in SECRETS):
                found.append(path.name)
    return found


def test_no_artefact_of_a_build_holds_the_key(built):
    written = {path.name for path in built.home.dbt_target.iterdir()}
    assert {"manifest.json", "run_results.json", "dbt.log", "compiled"} <= written
    assert artefacts_with_a_key(built) == []


def test_dbts_own_report_on_its_connection_does_not_show_the_key(built):
    run = built.dbt("--debug", "debug")
    assert "attach" in run.words
    assert not any(secret in run.words for secret in SECRETS)
    assert artefacts_with_a_key(built) == []


def test_a_wrong_key_is_refused_without_being_shown(built):
    wrong = "ab" * 32
    run = built.dbt(
        "run", "--select", "dim_channel",
        settings={"DBT_ENV_SECRET_TILLHOUSE_WAREHOUSE_KEY": wrong},
    )  # fmt: skip
    assert run.exit_code != 0
    assert "wrong key" in run.words
    assert wrong not in run.words


def test_dbt_finds_what_it_needs_with_an_empty_user_home(built):
    user_home = built.home.root.parent / "user"
    assert [path.name for path in user_home.rglob("*") if path.suffix == ".duckdb_extension"] == []

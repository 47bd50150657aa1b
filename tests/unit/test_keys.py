"""The master key: where it comes from, what is refused, what tokens equal."""

import hmac
import stat
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from dagster_project.core.home import Home, HomeError, load_settings, locate_home
from dagster_project.core.keys import KEY_VARIABLE, KeyUnavailableError, MasterKey, load_master_key

SECRET = bytes(range(32))


def test_a_key_file_is_made_on_first_use_and_read_ever_after(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    first = load_master_key(home, {})
    second = load_master_key(home, {})

    assert first == second
    assert stat.S_IMODE(home.key_file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    [SECRET.hex(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
    ids=["hexadecimal", "base64"],
)
def test_the_environment_key_is_read_in_both_spellings(tmp_path: Path, text: str) -> None:
    assert load_master_key(Home(tmp_path), {KEY_VARIABLE: text}) == MasterKey(SECRET)


def test_a_malformed_key_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailableError, match="holds no key") as refusal:
        load_master_key(Home(tmp_path), {KEY_VARIABLE: "hunter2"})

    assert "hunter2" not in str(refusal.value)


def test_no_new_key_is_made_beside_an_existing_warehouse(tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    home.warehouse.write_bytes(b"sealed")

    with pytest.raises(KeyUnavailableError, match="cannot be made again"):
        load_master_key(home, {})

    assert not home.key_file.exists()


def test_keys_of_two_purposes_differ_and_the_secret_is_not_shown() -> None:
    key = MasterKey(SECRET)

    assert key.derive("warehouse") != key.derive("token/phone")
    assert SECRET.hex() not in repr(key)


def test_the_sql_form_of_a_token_equals_the_library_s_hmac() -> None:
    key = MasterKey(SECRET)
    inner, outer = key.token_pads("phone")
    phone = "+8613800138000"

    made_in_sql = (
        duckdb.connect()
        .execute(
            "select left(sha256($outer::blob || unhex(sha256($inner::blob || encode($v)))), 32)",
            {"outer": outer, "inner": inner, "v": phone},
        )
        .fetchone()
    )

    expected = hmac.new(key.derive("token/phone"), phone.encode(), sha256).hexdigest()[:32]
    assert key.token("phone", phone) == expected
    assert made_in_sql == (expected,)


def test_the_home_is_the_chosen_one_then_the_environment_s(tmp_path: Path) -> None:
    environ = {"TILLHOUSE_HOME": str(tmp_path / "from_environment")}

    assert locate_home(str(tmp_path / "chosen"), environ).root == tmp_path / "chosen"
    assert locate_home(None, environ).root == tmp_path / "from_environment"


def test_a_setting_of_the_home_overrides_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("reporting_currency: EUR\n")

    settings = load_settings(Home(tmp_path))

    assert settings.reporting_currency == "EUR"
    assert settings.nightly_refresh == "02:30"


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("reporting_curency: EUR\n")

    with pytest.raises(HomeError, match="reporting_curency"):
        load_settings(Home(tmp_path))

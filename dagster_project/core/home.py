"""Where a deployment keeps what it writes, and the few settings it decides once.

Belongs here: paths and settings. Does not: opening any of these files (``warehouse``), or keys.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dagster_project.core.yaml_files import read_yaml

PACKAGE = Path(__file__).resolve().parents[1]
PROJECT = PACKAGE.parent
TEMPLATES = PACKAGE / "templates"
FEEDS = PACKAGE / "defs" / "feeds"
DBT_PROJECT = PROJECT / "dbt_project"
EXPECTATIONS = PROJECT / "expectations"

HOME_VARIABLE = "TILLHOUSE_HOME"
PRIVATE_MODE = 0o700


class HomeError(Exception):
    """The home directory cannot be used; the message says why in one line."""


class Settings(BaseModel):
    """What a deployment decides once (``settings.yaml``, overridden key by key in the home)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group_name: str
    time_zone: str
    nightly_refresh: str = Field(pattern=r"^\d{2}:\d{2}$")
    reporting_currency: str = Field(pattern=r"^[A-Z]{3}$")
    probabilistic_identity: bool = True
    nightly_backup: str = Field(default="04:30", pattern=r"^\d{2}:\d{2}$")
    keep_backup_days: int = Field(default=30, ge=1)
    keep_run_days: int = Field(default=90, ge=1)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value


@dataclass(frozen=True)
class Home:
    """All paths of one deployment, below one root directory."""

    root: Path

    @property
    def landing(self) -> Path:
        """Drop files here: ``landing/<feed>/``."""
        return self.root / "landing"

    @property
    def store(self) -> Path:
        """Encrypted originals of loaded files, by SHA-256."""
        return self.root / "store"

    @property
    def private(self) -> Path:
        """Mode 0700: the warehouse, the key file, the writer's lock, scratch files."""
        return self.root / "private"

    @property
    def warehouse(self) -> Path:
        """The one encrypted DuckDB file."""
        return self.private / "warehouse.duckdb"

    @property
    def key_file(self) -> Path:
        """The master key when ``TILLHOUSE_KEY`` is not set; mode 0600."""
        return self.private / "master.key"

    @property
    def writer_lock(self) -> Path:
        """Held by ``flock`` for as long as a run may write."""
        return self.private / "writer.lock"

    @property
    def erasures(self) -> Path:
        """The register of who was erased, outside the warehouse; tokens only."""
        return self.private / "erasures.jsonl"

    @property
    def scratch(self) -> Path:
        """Short-lived files in the clear; emptied when a writer starts."""
        return self.private / "scratch"

    @property
    def extensions(self) -> Path:
        """DuckDB's extension directory of this deployment."""
        return self.private / "extensions"

    @property
    def published(self) -> Path:
        """Masked databases that readers open: ``<audience>.duckdb``."""
        return self.root / "published"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    @property
    def shared(self) -> Path:
        """Mode 0700: extracts made for partners, ``<partner>/<release>/``."""
        return self.root / "shared"

    @property
    def data_docs(self) -> Path:
        return self.root / "data_docs"

    @property
    def dagster(self) -> Path:
        """Dagster's own home: run storage, schedules, logs."""
        return self.root / "dagster"

    @property
    def dbt_target(self) -> Path:
        """dbt's artefacts and logs; no key and no personal value ever reaches them."""
        return self.root / "dbt"

    def create(self) -> Home:
        """Make every directory that is missing and return the home.

        Raises HomeError when the root cannot be written.
        """
        public = [
            self.landing,
            self.published,
            self.reports,
            self.data_docs,
            self.dagster,
            self.dbt_target,
        ]
        private = [self.private, self.store, self.scratch, self.extensions, self.backups]
        try:
            for path in public:
                path.mkdir(parents=True, exist_ok=True)
            for path in private:
                path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_MODE)
                path.chmod(PRIVATE_MODE)
        except OSError as error:
            raise HomeError(f"cannot write {self.root}: {error.strerror}") from error
        return self


def locate_home(chosen: str | None = None, environ: Mapping[str, str] | None = None) -> Home:
    """The home that was chosen, else ``TILLHOUSE_HOME``, else ``var`` beside the project."""
    environ = os.environ if environ is None else environ
    root = chosen or environ.get(HOME_VARIABLE) or str(PROJECT / "var")
    return Home(Path(root).expanduser().resolve())


def load_settings(home: Home) -> Settings:
    """The shipped settings, overridden by ``settings.yaml`` in the home.

    Raises HomeError naming the file and the key that does not fit.
    """
    values: dict[str, Any] = read_yaml((PACKAGE / "settings.yaml").read_text("utf-8"))
    own = home.root / "settings.yaml"
    if own.exists():
        values |= read_yaml(own.read_text("utf-8")) or {}
    try:
        return Settings(**values)
    except ValueError as error:
        raise HomeError(f"{own}: {error}") from error

"""dbt's ``model`` as far as the linter needs it: one without a declared column."""

from __future__ import annotations

columns: dict[str, object] = {}

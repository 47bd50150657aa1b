"""dbt's ``adapter`` as far as the linter needs it: the default of a dispatched macro."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro_name: str, macro_namespace: str) -> Callable[..., str]:
    """The macro that runs on DuckDB; ``macro_namespace`` is this project in every call."""
    return context[f"default__{macro_name}"]

"""The project's own macros by their full name, as the linter needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


def __getattr__(name: str) -> Callable[..., Any]:
    if name.startswith("__"):
        raise AttributeError(name)

    @pass_context
    def macro(context: Context, *arguments: Any, **named: Any) -> Any:
        return context[name](*arguments, **named)

    return macro

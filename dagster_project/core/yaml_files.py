"""YAML as plain values, read by libyaml where it is there.

Belongs here: the choice of loader. Does not: what the values mean, or whose error a wrong file is.
Reading the declarations in Python alone takes seven times as long.
"""

from __future__ import annotations

from typing import Any

import yaml

# Both build nothing but plain values: no tag in a file makes an object of a class.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Any:
    """The values of a YAML document; raises yaml.YAMLError naming line and column."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - a safe loader

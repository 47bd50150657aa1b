"""Types that a ``defs.yaml`` may name, and what the Python definitions share.

Belongs here: how a declaration becomes assets. Does not: what an asset's body does (``core``).
"""

from dagster_project.components.feed import FeedComponent

__all__ = ["FeedComponent"]

"""The one error of publishing.

Belongs here: nothing else; every module of this package raises it.
"""

from __future__ import annotations


class PublicationError(Exception):
    """Nothing was published and readers keep what they had; the message says why in one line."""

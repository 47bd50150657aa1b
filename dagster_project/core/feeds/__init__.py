"""From a file somebody sent to raw rows nobody has to doubt.

One module a step: arrive, recognise, transcode, read (records, jsonl), judge, protect (cards),
stage, settle, commit, ledger (rejects), and ``load`` that puts them in order.
"""

from dagster_project.core.feeds.arrive import waiting_files
from dagster_project.core.feeds.check import CheckOutcome, check_feed_file
from dagster_project.core.feeds.errors import ErrorCode, LoadError
from dagster_project.core.feeds.load import FeedOutcome, create_raw_tables, load_feed
from dagster_project.core.feeds.replay import replay_feed
from dagster_project.core.feeds.tables import SourceError

__all__ = [
    "CheckOutcome",
    "ErrorCode",
    "FeedOutcome",
    "LoadError",
    "SourceError",
    "check_feed_file",
    "create_raw_tables",
    "load_feed",
    "replay_feed",
    "waiting_files",
]

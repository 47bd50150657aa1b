"""Dagster's event history in SQLite, kept open instead of opened anew for every event.

Belongs here: how connections are made. Does not: what is stored. The stock storage opens, syncs and
closes two databases for each event, 40 ms where the disk is shared; a refresh has 2,000 of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster import StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

# The index, the run that writes and a few that somebody looks at; the rest is closed again.
KEPT_OPEN = 8
BUSY_SECONDS = 30


class KeptOpenEventLogStorage(SqliteEventLogStorage):
    """The stock storage on connections that stay open, in WAL mode without a sync per commit.

    A power failure may lose the last events, never the file; losing history loses no data.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """``home``: Dagster's folder of the deployment."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> KeptOpenEventLogStorage:
        """Where the stock storage keeps its files, so that either finds the other's history."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        engine = self._engines.pop(shard, None) or _open(self.conn_string_for_shard(shard))
        self._engines[shard] = engine
        while len(self._engines) > KEPT_OPEN:
            _, oldest = self._engines.popitem(last=False)
            oldest.dispose()
        return engine

    def dispose(self) -> None:
        """Close every connection."""
        with self._db_lock:
            while self._engines:
                _, engine = self._engines.popitem()
                engine.dispose()
        super().dispose()


def _open(address: str) -> Engine:
    # The storage's own lock lets one thread at a time near a connection.
    arguments = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(address, poolclass=QueuePool, pool_size=1, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def without_a_sync_per_commit(connection: Any, _: object) -> None:
        connection.execute("pragma synchronous = normal")

    return engine

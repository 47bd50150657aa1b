"""The only code that opens DuckDB files, and the lock that keeps them to one writer.

Belongs here: connections, the writer's lock, the schemas and operational tables that everything
else relies on. Does not: what any other table holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from dagster_project.core.home import HOME_VARIABLE, Home, load_settings
from dagster_project.core.keys import MasterKey
from dagster_project.core.ops_tables import OPS_TABLES

CATALOG = "warehouse"
EXTENSION = "httpfs"  # brings the OpenSSL cipher without which 1.5 writes no encrypted file
MEMORY_LIMIT = "8GB"
THREADS = 2

# What analysts read: the star, the customers, and one schema for each subject of marts.
MART_SCHEMAS = (
    "core",
    "customer",
    "sales",
    "payment",
    "settlement",
    "tax",
    "loyalty",
    "promotion",
    "inventory",
    "till",
    "web",
    "social",
    "restaurant",
    "cinema",
)
# Marts that never leave the private file: what a clinic did for whom.
SENSITIVE_SCHEMA = "sensitive"
SCHEMAS = (
    "raw",
    "ops",
    "vault",
    "reference",
    "identity",
    "staging",
    "intermediate",
    *MART_SCHEMAS,
    SENSITIVE_SCHEMA,
    "forecast",
)

# dbt strikes the values of variables with this prefix out of all it writes.
FILE_KEY_VARIABLE = "DBT_ENV_SECRET_TILLHOUSE_WAREHOUSE_KEY"


class WarehouseError(Exception):
    """The warehouse cannot be opened; the message says why in one line."""


class WarehouseBusyError(WarehouseError):
    """Another run holds the writer's lock."""


class Warehouse:
    """One encrypted DuckDB file: one writer at a time, readers only while nobody writes."""

    def __init__(self, home: Home, key: MasterKey) -> None:
        self.home = home
        self._key = key

    @property
    def key(self) -> MasterKey:
        """For tokens and the landing store; never printed."""
        return self._key

    @contextmanager
    def connect(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection whose current catalogue is the warehouse, in UTC.

        Writers hold ``writer_lock`` around it. Raises WarehouseError on a wrong key, a file that
        is no warehouse, a full disk, or a lock held by another process.
        """
        connection = open_engine(self.home)
        try:
            attach(connection, self.home.warehouse, CATALOG, self._key.warehouse_key(), read_only)
            connection.execute(f"use {CATALOG}")
            yield connection
        finally:
            connection.close()

    def create(self) -> None:
        """Make the file, its schemas and operational tables where they are missing."""
        self.home.create()
        with self.connect() as connection:
            for schema in SCHEMAS:
                connection.execute(f"create schema if not exists {schema}")
            connection.execute(OPS_TABLES)

    def dbt_environment(self) -> dict[str, str]:
        """The environment dbt needs to reach the file; the key only as a dbt secret variable."""
        ensure_extension(self.home)
        return home_environment(self.home) | {FILE_KEY_VARIABLE: self._key.warehouse_key()}


def home_environment(home: Home) -> dict[str, str]:
    """What dbt must know of a home to read its project; a key is not needed for that."""
    return {
        HOME_VARIABLE: str(home.root),
        "TILLHOUSE_REPORTING_CURRENCY": load_settings(home).reporting_currency,
    }


def ensure_extension(home: Home) -> Path:
    """Put the encryption extension from its wheel where this home's engines look for it."""
    version = f"v{duckdb.__version__}"
    source = Path(str(files("duckdb_extension_httpfs"))) / "extensions" / version
    target = home.extensions / version / _platform()
    wanted = target / f"{EXTENSION}.duckdb_extension"
    if not wanted.exists():
        if _installed and _installed[0].exists():
            _share(_installed[0].parent, target)
        else:
            with duckdb.connect(config={"extension_directory": str(home.extensions)}) as engine:
                path = str(source / f"{EXTENSION}.duckdb_extension").replace("'", "''")
                engine.execute(f"install '{path}'")
    _installed[:] = [wanted]
    return wanted


# Where this process found the extension last. Every file of its own is loaded as a library of its
# own and stays loaded: after a hundred homes a process has no thread-local storage left.
_installed: list[Path] = []


def _share(installed: Path, target: Path) -> None:
    """The same files, not copies of them, where the file system lets one file have two names."""
    target.mkdir(parents=True, exist_ok=True)
    # The extension itself comes last: where it stands, all of it does.
    for path in sorted(installed.iterdir(), reverse=True):
        try:
            os.link(path, target / path.name)
        except FileExistsError:
            continue
        except OSError:
            shutil.copyfile(path, target / path.name)


@cache
def _platform() -> str:
    with duckdb.connect() as engine:
        return engine.execute("pragma platform").fetchone()[0]


# Extension files whose signature an engine of this process has verified. That takes three quarters
# of the time that opening a warehouse takes, so each file is verified once, by the first engine.
_verified: set[tuple[int, ...]] = set()


def _identity(path: Path) -> tuple[int, ...]:
    """Changes when a file is replaced or written to."""
    found = path.stat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def open_engine(home: Home) -> duckdb.DuckDBPyConnection:
    """An in-memory engine with the encryption extension loaded, in UTC, spilling into scratch."""
    extension = _identity(ensure_extension(home))
    engine = duckdb.connect(
        config={
            "extension_directory": str(home.extensions),
            "allow_unsigned_extensions": extension in _verified,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": str(home.scratch),
        }
    )
    engine.execute(f"load {EXTENSION}")
    _verified.add(extension)
    engine.execute("set temp_file_encryption = true")
    engine.execute("load icu")
    engine.execute("set TimeZone = 'UTC'")
    engine.execute("set enable_progress_bar = false")
    return engine


def attach(
    engine: duckdb.DuckDBPyConnection, path: Path, alias: str, key: str, read_only: bool
) -> None:
    """Attach an encrypted database file under an alias.

    Raises WarehouseError with one line that says what is wrong and never holds the key.
    """
    literal = str(path).replace("'", "''")
    mode = ", read_only" if read_only else ""
    try:
        engine.execute(f"attach '{literal}' as {alias} (encryption_key '{key}'{mode})")
    except duckdb.Error as error:
        raise WarehouseError(_explain(path, error)) from None


def _explain(path: Path, error: duckdb.Error) -> str:
    text = str(error).splitlines()[0]
    if "encryption key" in text:
        return f"{path}: wrong key; set TILLHOUSE_KEY to the key this warehouse was made with"
    if "lock" in text.lower():
        return f"{path} is open in another process; wait for it or stop it"
    if "not a valid DuckDB database" in text or "not encrypted" in text.lower():
        return f"{path} is not an encrypted warehouse of this version"
    return f"{path} cannot be opened: {text}"


class WriterLock:
    """The right to write, kept by the kernel: it is dropped when its last holder dies.

    Child processes that write (dbt) inherit the descriptor, so an orphan still counts as a writer.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._descriptor: int | None = None

    def acquire(self, wait_seconds: float = 0) -> WriterLock:
        """Take the lock, waiting at most so long; raises WarehouseBusyError naming the holder."""
        self._home.create()
        descriptor = os.open(self._home.writer_lock, os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 64, 0).decode(errors="replace").strip()
                    os.close(descriptor)
                    raise WarehouseBusyError(
                        f"another refresh is writing (process {holder or 'unknown'}); "
                        "wait for it to end"
                    ) from None
                time.sleep(0.2)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor
        _empty(self._home.scratch)
        return self

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def descriptor(self) -> int:
        """For ``pass_fds`` of a child process that writes."""
        if self._descriptor is None:
            raise WarehouseError("the writer's lock is not held")
        return self._descriptor

    def __enter__(self) -> WriterLock:
        return self if self._descriptor is not None else self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def _empty(directory: Path) -> None:
    """Remove what a killed run left in the clear."""
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

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
OPS_TABLES = """
create sequence if not exists ops.batch_sequence;
create table if not exists ops.batch (
    batch_id bigint primary key,
    feed varchar not null,
    committed_at timestamptz not null,
    file_count integer not null,
    loaded_count bigint not null
);
create table if not exists ops.file_ledger (
    file_id varchar not null,           -- SHA-256 of the delivered bytes
    content_id varchar,                 -- SHA-256 after decompression and newline, BOM removal
    feed varchar not null,
    original_name varchar not null,
    size_bytes bigint not null,
    arrived_at timestamptz not null,
    encoding varchar,
    template varchar,
    template_version integer,
    physical_count bigint not null,
    loaded_count bigint not null,
    rejected_count bigint not null,
    duplicate_count bigint not null,
    status varchar not null check (
        status in ('loaded', 'duplicate', 'quarantined', 'superseded', 'erased')
    ),
    reason varchar,
    batch_id bigint,
    first_business_at timestamptz,
    last_business_at timestamptz,
    check (status != 'loaded' or physical_count = loaded_count + rejected_count + duplicate_count)
);
create table if not exists ops.rejects (
    reject_key bigint not null,         -- of file, record and column: replay is idempotent
    feed varchar not null,
    file_id varchar not null,
    record_number bigint not null,
    first_line bigint not null,
    last_line bigint not null,
    byte_offset bigint,
    record varchar not null,            -- the template's record the row was meant for
    column_name varchar,
    error_code varchar not null,
    message varchar not null,           -- never holds the value
    raw_record varchar,                 -- card numbers masked, personal values left out
    batch_id bigint not null,
    replayed_batch_id bigint,
    disposition varchar default 'record'  -- value: its record is loaded without it
);
alter table ops.rejects add column if not exists disposition varchar default 'record';
create table if not exists ops.file_drift (
    feed varchar not null,
    file_id varchar not null,
    kind varchar not null,              -- new_column, missing_column
    column_name varchar not null
);
create table if not exists ops.feed_finding (
    feed varchar not null,
    kind varchar not null,
    subject varchar not null,           -- the till, file or column it is about; else empty
    message varchar not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    resolved_at timestamptz,            -- when it no longer held
    primary key (feed, kind, subject)
);
create table if not exists ops.raw_conflict (
    raw_table varchar not null,         -- <template>__<record>
    record_key bigint not null          -- delivered with more than one content
);
create table if not exists ops.alarm (
    raised_at timestamptz not null,
    subject varchar not null,
    severity varchar not null,
    message varchar not null
);
create table if not exists ops.build_state (
    build varchar not null,             -- what was built: models, forecast, publication, …
    built_batch_id bigint not null,     -- every batch up to this one is in it
    fingerprint varchar not null,       -- of the code and declarations that built it
    built_at timestamptz not null
);
create table if not exists ops.source_state (
    source varchar not null,            -- of the models, as dbt names it
    schema_name varchar not null,
    table_name varchar not null,
    summary varchar not null            -- of its rows when the models were last complete
);
create table if not exists ops.check_result (
    run_id varchar not null,
    checked_at timestamptz not null,
    schema_name varchar not null,
    table_name varchar not null,
    check_name varchar not null,
    kind varchar not null,              -- expectation, dbt_test, reconciliation
    severity varchar not null,
    is_blocking boolean not null,
    has_passed boolean not null,
    failed_count bigint not null,
    why varchar
);
alter table ops.check_result add column if not exists row_count bigint;   -- of the table
alter table ops.check_result add column if not exists statement varchar;  -- the check in words
alter table ops.check_result add column if not exists error varchar;      -- why it was not judged
create table if not exists vault.personal_value (
    domain varchar not null,
    token varchar not null,
    value varchar not null,             -- in the clear: this schema never leaves the private file
    batch_id bigint not null
);
"""


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

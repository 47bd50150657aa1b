"""Why a file or a record was held back: the fixed list of codes, and what a caller may catch.

Belongs here: codes, their wording, exceptions. Does not: finding the errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import duckdb

from dagster_project.core.feeds.cards import mask_text


class ErrorCode(StrEnum):
    """Every reason for which a single record is rejected."""

    MISSING = "missing"
    BAD_INTEGER = "bad_integer"
    BAD_NUMBER = "bad_number"
    BAD_BOOLEAN = "bad_boolean"
    BAD_DATE = "bad_date"
    BAD_TIMESTAMP = "bad_timestamp"
    NOT_ALLOWED = "not_allowed"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    UNMAPPED = "unmapped"
    RAGGED_ROW = "ragged_row"
    STRAY_QUOTE = "stray_quote"
    UNTERMINATED_QUOTE = "unterminated_quote"
    FIELD_TOO_LONG = "field_too_long"
    RECORD_TOO_LONG = "record_too_long"
    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    NOT_AN_OBJECT = "not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    BAD_LIST = "bad_list"
    TRUNCATED = "truncated_record"
    CARD_NUMBER = "card_number"


MESSAGES: dict[ErrorCode, str] = {
    ErrorCode.MISSING: "a required value is missing",
    ErrorCode.BAD_INTEGER: "not a whole number",
    ErrorCode.BAD_NUMBER: "not a number",
    ErrorCode.BAD_BOOLEAN: "neither true nor false",
    ErrorCode.BAD_DATE: "not a date",
    ErrorCode.BAD_TIMESTAMP: "not a date and time",
    ErrorCode.NOT_ALLOWED: "not one of the allowed values",
    ErrorCode.BELOW_MINIMUM: "below the smallest allowed value",
    ErrorCode.ABOVE_MAXIMUM: "above the largest allowed value",
    ErrorCode.UNMAPPED: "the row is of no kind that the feed maps",
    ErrorCode.RAGGED_ROW: "another number of cells than the header",
    ErrorCode.STRAY_QUOTE: "text stands beside a closing quote",
    ErrorCode.UNTERMINATED_QUOTE: "a quote is opened and never closed",
    ErrorCode.FIELD_TOO_LONG: "a cell is longer than the cap",
    ErrorCode.RECORD_TOO_LONG: "the record is longer than the cap",
    ErrorCode.BAD_ENCODING: "bytes that the declared encoding does not have",
    ErrorCode.BAD_JSON: "not valid JSON",
    ErrorCode.NOT_AN_OBJECT: "JSON, but not an object",
    ErrorCode.DUPLICATE_KEY: "a JSON object that names a key twice, with different values",
    ErrorCode.BAD_LIST: "a list of records is expected and none is there",
    ErrorCode.TRUNCATED: "the file ends within the record",
    ErrorCode.CARD_NUMBER: "a card number stands where none may be kept or masked",
}


class LoadError(Exception):
    """Loading could not go on; nothing half loaded is left. One line says why."""


class HeldBackError(Exception):
    """One file cannot be loaded; the message is the reason kept in the ledger."""


class FastPathError(Exception):
    """The database's reader and the count of physical records disagree, or it refused the file."""


@contextmanager
def one_line_errors(feed: str) -> Iterator[None]:
    """Turn what a disk or the database throws into one clear line."""
    try:
        yield
    except OSError as error:
        raise LoadError(f"feed {feed}: {error.strerror or error}") from error
    except duckdb.Error as error:
        told = mask_text(" ".join(str(error).split()))[0]
        raise LoadError(f"feed {feed}: {told[:300]}") from error

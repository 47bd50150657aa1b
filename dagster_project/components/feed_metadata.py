"""What the Dagster UI shows of a feed: numbers that plot over time, tables, a small picture.

Belongs here: from a load's outcome and a feed's standing to metadata. Does not: reading either.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from dagster_project.components.tables import as_table

if TYPE_CHECKING:
    from dagster_project.core.feeds import FeedOutcome
    from dagster_project.core.feeds.standing import Load, LoadFigures, Standing

SHOWN = 20  # held-back files named in the metadata; the ledger has them all
PHONE = "; who to phone: "
HEIGHT, BAR, GAP = 90, 9, 3  # pixels
PALETTE = bytes.fromhex("ffffff0b6e99c0392bcccccc")  # paper, rows in, rejected, ground
PAPER, ROWS_IN, REJECTED, GROUND = range(4)


def loaded_metadata(
    outcome: FeedOutcome, figures: LoadFigures, standing: Standing, at: datetime
) -> dict[str, Any]:
    """A load's counts, and how the feed stands after it."""
    rejected = outcome.rejected_count
    share = rejected / outcome.physical_count if outcome.physical_count else 0.0
    told: dict[str, Any] = {
        "files": outcome.file_count,
        "physical": outcome.physical_count,
        "loaded": outcome.loaded_count,
        "rejected": rejected,
        "duplicate": outcome.duplicate_count,
        "held_back": [f"{name}: {reason}" for name, reason in outcome.quarantined[:SHOWN]],
        "held_back_count": len(outcome.quarantined),
        "reject_reasons": {str(code): count for code, count in outcome.reject_reasons},
        "reject rate %": round(100 * share, 3),
        "late rows": figures.late_count,
        "new columns": figures.new_column_count,
        "missing columns": figures.missing_column_count,
        "findings open": len(standing.findings),
    }
    if standing.last_arrived_at is not None:
        waited = at - standing.last_arrived_at
        told["hours since last delivery"] = round(waited.total_seconds() / 3600, 2)
    return told | _tables(standing) | _picture(standing.loads)


def _tables(standing: Standing) -> dict[str, dg.MetadataValue]:
    tables = {
        "why rejected": (
            ("file", "line", "column", "code", "count", "left out"),
            [
                (one.file, one.line, one.column, one.code, one.count, one.left_out)
                for one in standing.reasons
            ],
        ),
        "files held back": (
            ("file", "arrived (UTC)", "reason"),
            [
                (one.file, f"{one.arrived_at.astimezone(UTC):%Y-%m-%d %H:%M}", one.reason)
                for one in standing.held_back
            ],
        ),
        "findings": (
            ("kind", "about", "finding", "who to phone"),
            [
                (one.kind, one.subject, *one.message.rsplit(PHONE, 1))
                for one in standing.findings[:SHOWN]
            ],
        ),
    }
    return {name: as_table(columns, rows) for name, (columns, rows) in tables.items() if rows}


def _picture(loads: Sequence[Load]) -> dict[str, dg.MetadataValue]:
    if len(loads) < 2:
        return {}
    tallest = max(one.physical_count for one in loads)
    words = f"rows in, rejected ones red, last {len(loads)} loads, the tallest of {tallest:,} rows"
    picture = base64.b64encode(bars([(n.physical_count, n.rejected_count) for n in loads]))
    markdown = f"![{words}](data:image/png;base64,{picture.decode('ascii')})\n\n{words}"
    return {"rows in and rejected": dg.MetadataValue.md(markdown)}


def bars(loads: Sequence[tuple[int, int]]) -> bytes:
    """A PNG with one bar per load, oldest first: records that came in, rejected ones at its foot.

    Drawn by hand: a plotting library takes a tenth of a second, which 30 feeds would feel.
    """
    tallest = max(1, *(rows_in for rows_in, _ in loads))
    image = np.full((HEIGHT + 1, GAP + len(loads) * (BAR + GAP)), PAPER, np.uint8)
    image[HEIGHT] = GROUND
    for place, (rows_in, rejected) in enumerate(loads):
        left = GAP + place * (BAR + GAP)
        for count, colour in ((rows_in, ROWS_IN), (rejected, REJECTED)):
            pixels = -(-count * HEIGHT // tallest)  # what is there is seen
            image[HEIGHT - pixels : HEIGHT, left : left + BAR] = colour
    lines = b"".join(b"\x00" + line.tobytes() for line in image)
    height, width = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)  # one byte a pixel, a palette
    parts = ((b"IHDR", header), (b"PLTE", PALETTE), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

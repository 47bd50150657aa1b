"""The certificate of an erasure: what was asked, what was searched, what is left.

Belongs here: its content, its seal and its two files. Does not: any personal value, which none of
the figures needs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dagster_project.core.erasure.erasing import Erasure
from dagster_project.core.erasure.published import Published
from dagster_project.core.erasure.sweeping import Left
from dagster_project.core.home import Home, load_settings
from dagster_project.core.keys import MasterKey
from dagster_project.core.suppression.register import sealed_by, sync_folder

FOLDER = "erasures"
FILE_MODE = 0o640


@dataclass(frozen=True)
class Checked:
    """What the last look found, after the models were built again."""

    tables: tuple[Left, ...]
    file_count: int
    pages_dropped: tuple[str, ...]  # held something; the next refresh writes them anew
    files_left: tuple[str, ...]  # hold something and are nobody's to remove but the owner's
    published: Published
    is_rebuilt: bool  # the models have been built since
    backups: Mapping[str, datetime]  # of any age, with the time each was taken


def write_certificate(
    home: Home, key: MasterKey, erasure: Erasure, checked: Checked
) -> tuple[Path, Path, bool]:
    """Write the certificate as JSON, sealed, and as a page; both paths, and whether it is all."""
    content = _content(home, erasure, checked)
    sealed = content | {"seal": sealed_by(key, content)}
    folder = home.reports / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    number = erasure.entry.erasure_id
    told = json.dumps(sealed, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return (
        _write(folder / f"{number}.json", told),
        _write(folder / f"{number}.md", _page(content)),
        bool(content["is_complete"]),
    )


def is_genuine(path: Path, key: MasterKey) -> bool:
    """Whether a certificate is as this deployment wrote it."""
    content = json.loads(path.read_text("utf-8"))
    return bool(content.pop("seal", "") == sealed_by(key, content))


def _content(home: Home, erasure: Erasure, checked: Checked) -> dict[str, Any]:
    entry, outcome = erasure.entry, erasure.outcome
    return {
        "erasure_id": entry.erasure_id,
        "asked_at": entry.asked_at,
        "asked_by": entry.asked_by,
        "reason": entry.reason,
        "certified_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "persons": entry.person_count,
        "identifiers_suppressed": len(entry.tokens),
        "erased_from": [asdict(change) for change in outcome.changes],
        "originals": asdict(outcome.originals),
        "warehouse_bytes": {"before": outcome.size_before, "after": outcome.size_after},
        "models_rebuilt": checked.is_rebuilt,
        "searched_tables": [asdict(left) for left in checked.tables],
        "found_in_tables": sum(left.found for left in checked.tables),
        "searched_files": checked.file_count,
        "pages_dropped": list(checked.pages_dropped),
        "files_left": list(checked.files_left),
        "published": asdict(checked.published),
        "backups": _backups(home, entry.asked_at, checked.backups),
        "is_complete": _is_complete(checked),
    }


def _is_complete(checked: Checked) -> bool:
    return (
        checked.is_rebuilt
        and not any(left.found for left in checked.tables)
        and not checked.files_left
        and not checked.published.still_served
    )


def _backups(home: Home, asked_at: str, backups: Mapping[str, datetime]) -> list[dict[str, str]]:
    """Backups that were made before, and the day on which each is gone."""
    asked, days = datetime.fromisoformat(asked_at), load_settings(home).keep_backup_days
    return [
        {
            "backup": name,
            "taken_at": taken.isoformat(timespec="seconds"),
            "gone_by": f"{taken + timedelta(days=days):%Y-%m-%d}",
        }
        for name, taken in backups.items()
        if taken <= asked
    ]


def _page(content: Mapping[str, Any]) -> str:
    published, originals = content["published"], content["originals"]
    lines = [
        f"# Certificate of erasure {content['erasure_id']}",
        "",
        f"{'Complete' if content['is_complete'] else '**Not complete yet**'}: "
        f"{content['persons']} persons with {content['identifiers_suppressed']} identifiers, "
        f"asked for by {content['asked_by']} at {content['asked_at']}, "
        f"certified at {content['certified_at']}.",
        "",
        f"Reason: {content['reason']}",
        "",
        "## Erased",
        "",
        *_table(("table", "found", "deleted", "emptied"), content["erased_from"]),
        "",
        f"Originals destroyed: {originals['dropped']}; read once more: {originals['searched']}; "
        f"held back and unreadable, so not searched: {len(originals['unreadable'])}.",
        f"The warehouse's file was written anew: {content['warehouse_bytes']['before']:,} bytes "
        f"before, {content['warehouse_bytes']['after']:,} after.",
        "",
        "## Searched afterwards",
        "",
        f"Models built again: {'yes' if content['models_rebuilt'] else 'not yet'}. "
        f"Rows found in all tables: {content['found_in_tables']}.",
        "",
        *_table(("table", "searched_columns", "found"), content["searched_tables"]),
        "",
        f"Text files searched: {content['searched_files']}; "
        f"pages dropped: {len(content['pages_dropped'])}; "
        f"files that still hold something: {len(content['files_left'])}.",
        "",
        f"Published versions dropped: {len(published['dropped'])}; "
        f"older ones still served: {len(published['still_served'])}.",
        "",
        "## Backups that still hold the persons",
        "",
        *_table(("backup", "taken_at", "gone_by"), content["backups"]),
        "",
        "A backup that is put back before that day has every erasure carried out on it again.",
    ]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return ["None."]
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*head, *(f"| {' | '.join(str(row[name]) for name in columns)} |" for row in rows)]


def _write(path: Path, text: str) -> Path:
    unfinished = path.with_suffix(f"{path.suffix}.tmp")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)
    return path

"""Clean files of four templates with Chinese and Persian text, to be damaged.

Every record's key begins with the file's own prefix, so that many damaged copies can be loaded side
by side; all else of a record depends on its number alone.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

NAMES = (
    "milk", "牛奶 1L", "شیر کم‌چرب", 'the "best" tea, green', "红茶\n(大)", "نان سنگک", "Müsli",
    "🍎 apple", "豆腐", "a;b|c\td", "O'Brien's", "کره ۱۰۰ گرم",
)  # fmt: skip
CITIES = ("北京", "تهران", "London", "深圳", "اصفهان", "São Paulo")
ARRIVAL = {"complete_by": "rename", "reject_threshold": 1.0}
RECORDS = 30


@dataclass(frozen=True)
class Kind:
    """One template's clean file: its feed, columns and records."""

    template: str
    record: str
    format: str
    fields: dict[str, str]  # the sender's column → field; the first is the key
    constants: dict[str, str]

    def declared(self, name: str) -> dict[str, Any]:
        """The feed's declaration under a name of its own, which is the sender's too."""
        mapped = {field: column for column, field in self.fields.items()} | self.constants
        return {
            "feed": name,
            "description": "Clean and damaged copies of one file.",
            "sender": name,
            "template": self.template,
            "owner": "test",
            "format": self.format,
            "country": "CN",
            "arrival": ARRIVAL,
            "columns": dict.fromkeys(self.fields, ()),
            "records": {self.record: {"fields": mapped}},
        }

    def row(self, prefix: str, number: int) -> dict[str, str]:
        """The texts of one record by the sender's column."""
        day = f"2017-03-{number % 28 + 1:02d} {number % 24:02d}:30:00"
        texts = {
            "key": f"{prefix}K{number:04d}",
            "number": str(number + 1),
            "name": NAMES[number % len(NAMES)],
            "city": CITIES[number % len(CITIES)],
            "amount": f"{number * 7 % 100 - 20}.{number % 10}5",
            "at": day,
            "phone": f"1380013{number:04d}",
            "code": f"P-{number % 5}",
            "rating": str(number % 6),
        }
        kinds = {column: _KIND_OF.get(field, "") for column, field in self.fields.items()}
        return {column: texts[kind] for column, kind in kinds.items()}

    def lines(self, prefix: str) -> list[bytes]:
        """The file's records without their line ends; of CSV the header first."""
        rows = [self.row(prefix, number) for number in range(RECORDS)]
        if self.format == "jsonl":
            return [json.dumps(row, ensure_ascii=False).encode() for row in rows]
        return [_csv_line(cells) for cells in (list(self.fields), *(row.values() for row in rows))]


_KIND_OF = {
    "receipt_id": "key", "order_id": "key", "member_number": "key", "post_id": "key",
    "line_number": "number", "product_name": "name", "name": "name", "text": "name",
    "order_note": "name", "city": "city", "list_amount": "amount", "total_amount": "amount",
    "sold_at": "at", "ordered_at": "at", "updated_at": "at", "posted_at": "at", "phone": "phone",
    "product_code": "code", "rating": "rating", "author_handle": "city",
}  # fmt: skip


def _csv_line(cells: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(list(cells))
    return out.getvalue().removesuffix("\n").encode()


KINDS = {
    "till": Kind(
        "pos_standard",
        "line",
        "csv",
        {
            "bon": "receipt_id",
            "pos": "line_number",
            "sku": "product_code",
            "name": "product_name",
            "amount": "list_amount",
            "at": "sold_at",
        },
        {
            "line_type": "'sale'",
            "quantity": "'1'",
            "discount_amount": "'0'",
            "tax_amount": "'0'",
        },
    ),
    "web": Kind(
        "web_order",
        "order",
        "csv",
        {
            "order_no": "order_id",
            "placed": "ordered_at",
            "total": "total_amount",
            "city": "city",
            "phone": "phone",
            "note": "order_note",
        },
        {
            "order_type": "'sale'",
            "store_code": "'web'",
            "channel_code": "'app'",
            "currency_code": "'CNY'",
        },
    ),
    "club": Kind(
        "member",
        "member",
        "csv",
        {
            "no": "member_number",
            "since": "updated_at",
            "who": "name",
            "mobile": "phone",
            "city": "city",
        },
        {},
    ),
    "posts": Kind(
        "post",
        "post",
        "jsonl",
        {
            "id": "post_id",
            "at": "posted_at",
            "who": "author_handle",
            "body": "text",
            "stars": "rating",
        },
        {"platform": "'weibo'"},
    ),
}

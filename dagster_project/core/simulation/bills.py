"""Merchant bills: what the wallets and card acquirers say they settled.

Belongs here: the bills of a week's electronic payments, a few of them wrong on purpose, and the
truth about which. Does not: the payments (``receipts``, ``web``).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.core.simulation.baskets import halves_up
from dagster_project.core.simulation.columns import (
    Columns,
    decimal,
    local_times,
    picked,
    same,
)
from dagster_project.core.simulation.masters import HEAD_OFFICE
from dagster_project.core.simulation.plan import Country, Plan, Site, Stream, Week
from dagster_project.core.simulation.till_files import codes_of
from dagster_project.core.simulation.tills import ALI, CARDS, WX, Rows
from dagster_project.core.simulation.web import ALIPAY, CARD, WALLET, WECHAT

PROVIDERS = ("alipay", "wechat", "acquirer")
FEES = (60, 60, 110)  # of the gross, in parts of ten thousand
SETTLED_AFTER = 86400
MISSING_SHARE, WRONG_FEE_SHARE, CHARGEBACK_SHARE = 0.0015, 0.001, 0.0006
EXCEPTIONS = ("none", "missing", "wrong_fee", "chargeback")
KINDS = ("支付", "退款", "拒付")
HEADINGS = (
    "渠道", "商户订单号", "业务类型", "门店", "结算时间", "币种", "订单金额", "手续费", "结算金额",
)  # fmt: skip
ENCODING = "gb18030"


def till_payments(receipts: Rows, tenders: Rows, moments: np.ndarray) -> Rows:
    """A week's tenders that some provider settles."""
    provider = np.full(tenders["means"].size, -1)
    provider[tenders["means"] == ALI] = 0
    provider[tenders["means"] == WX] = 1
    provider[np.isin(tenders["means"], CARDS)] = 2
    site = receipts["site"][tenders["receipt"]]
    return _settled(provider, tenders, site, moments[tenders["receipt"]])


def web_payments(orders: Rows, payments: Rows, moments: np.ndarray) -> Rows:
    """A week's order payments that some provider settles."""
    provider = np.full(payments["method"].size, -1)
    provider[payments["method"] == ALIPAY] = 0
    provider[payments["method"] == WECHAT] = 1
    provider[np.isin(payments["method"], (CARD, WALLET))] = 2
    site = orders["site"][payments["order"]]
    return _settled(provider, payments, site, moments[payments["order"]])


def _settled(provider: np.ndarray, paid: Rows, site: np.ndarray, moment: np.ndarray) -> Rows:
    kept = provider >= 0
    return {
        "provider": provider[kept], "ref": paid["ref"][kept], "amount": paid["amount"][kept],
        "site": site[kept], "moment": moment[kept],
    }  # fmt: skip


def make_bills(plan: Plan, week: Week, country: Country, parts: list[Rows]) -> tuple[Rows, Rows]:
    """The lines of a week's bills, and the lines with something wrong."""
    rng = plan.generator(Stream.BILLS, country.number, week.number)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    shares = [MISSING_SHARE, WRONG_FEE_SHARE, CHARGEBACK_SHARE]
    wrong = rng.choice(4, rows["ref"].size, p=[1 - sum(shares), *shares])
    wrong[(wrong == 3) & (rows["amount"] < 0)] = 0
    fee = halves_up(np.abs(rows["amount"]) * np.array(FEES)[rows["provider"]], 10_000)
    fee = np.where(wrong == 2, fee * 2 + 1, fee) * np.sign(rows["amount"])
    rows |= {"fee": fee, "kind": np.where(rows["amount"] < 0, 1, 0), "wrong": wrong}
    back = {name: values[wrong == 3] for name, values in rows.items()}
    back |= {"amount": -back["amount"], "fee": back["fee"] * 0, "kind": back["kind"] * 0 + 2}
    back["moment"] = back["moment"] + 20 * 86400
    kept = wrong != 1
    lines = {name: np.concatenate([values[kept], back[name]]) for name, values in rows.items()}
    order = np.lexsort((lines["ref"], lines["moment"]))
    found = {name: values[wrong > 0] for name, values in rows.items()}
    return {name: values[order] for name, values in lines.items()}, found


def bill_columns(lines: Rows, country: Country, sites: list[Site], provider: int) -> Columns:
    """``lantern_bills``: one row per settled payment of a provider, every value back-ticked."""
    mine = lines["provider"] == provider
    rows = {name: values[mine] for name, values in lines.items()}
    size = rows["ref"].size
    digits = country.minor_digits
    columns = (
        same(PROVIDERS[provider], size),
        codes_of(rows["ref"], 11),
        picked(rows["kind"], KINDS),
        picked(rows["site"], [site.code for site in sites]),
        local_times(rows["moment"] + SETTLED_AFTER, HEAD_OFFICE, with_offset=False),
        same(country.currency, size),
        decimal(rows["amount"], digits),
        decimal(rows["fee"], digits),
        decimal(rows["amount"] - rows["fee"], digits),
    )
    return {name: _ticked(column) for name, column in zip(HEADINGS, columns, strict=True)}


def _ticked(column: pa.Array) -> pa.Array:
    plain = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
    return pc.binary_join_element_wise("`", plain.cast(pa.string()), "")


def frame_bill(content: bytes, provider: int, lines: Rows, digits: int) -> bytes:
    """The bill as it is sent: three lines before the table, two after it, in GB18030."""
    mine = lines["provider"] == provider
    total = int(lines["amount"][mine].sum())
    shown = f"{total / 10**digits:.{digits}f}"
    head = f"#商户对账单,{PROVIDERS[provider]}\n#商户号,[TEST000{provider}]\n#----账单明细----\n"
    foot = f"#----账单结束----\n#合计,{int(mine.sum())}笔,{shown}\n"
    return (head + content.decode("utf-8") + foot).encode(ENCODING)


def exception_columns(found: Rows, sites: list[Site], digits: int) -> Columns:
    """Truth: one row per payment that its bill gets wrong."""
    return {
        "provider": picked(found["provider"], PROVIDERS),
        "reference_number": codes_of(found["ref"], 11),
        "exception": picked(found["wrong"], EXCEPTIONS),
        "store_code": picked(found["site"], [site.code for site in sites]),
        "amount": decimal(found["amount"], digits),
        "settled_fee": decimal(found["fee"], digits),
    }

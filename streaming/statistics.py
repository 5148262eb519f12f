"""The `stats` event: the core's columns as rows that the operator's table and the metrics read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from numpy.typing import NDArray

from streaming.model import Model
from streaming.params import EncodingStats, MediaEvent, PublicationStats, Reason, SubscriptionStats, TransportStats
from streaming.sources import SourceRates

Table = Mapping[str, NDArray[Any]]


def rows(table: Table) -> list[dict[str, Any]]:
    """A table of columns as one dict a row, of plain Python numbers."""
    columns = [column.tolist() for column in table.values()]
    return [dict(zip(table, values, strict=True)) for values in zip(*columns, strict=True)]


class Statistics:
    """Makes the event; remembers the byte counters of the last one for rates."""

    def __init__(self, drop_reasons: list[str]) -> None:
        self._drop_reasons = drop_reasons
        self._bytes: dict[int, tuple[int, int]] = {}
        self._at_us: int | None = None

    def event(
        self,
        now_us: int,
        stats: Mapping[str, Table],
        model: Model,
        sources: SourceRates,
        reasons: Mapping[int, Reason],
    ) -> MediaEvent:
        """The event of now, at monotonic time `now_us`."""
        drops = zip(stats["drops"]["reason"].tolist(), stats["drops"]["count"].tolist(), strict=True)
        return {
            "event": "stats",
            "transports": self._transports(now_us, stats["transports"], model),
            "publications": _publications(stats["encodings"], model),
            "subscriptions": _subscriptions(stats["subscriptions"], model, sources, reasons),
            "drops": {self._drop_reasons[reason]: count for reason, count in drops if count},
        }

    def _transports(self, now_us: int, table: Table, model: Model) -> list[TransportStats]:
        span_s = max(now_us - self._at_us, 1) / 1e6 if self._at_us is not None else None
        before, self._bytes, self._at_us = self._bytes, {}, now_us
        result = []
        for row in rows(table):
            handle = row["transport"]
            if handle not in model.transports:
                continue
            self._bytes[handle] = row["rx_bytes"], row["tx_bytes"]
            rx, tx = before.get(handle, self._bytes[handle])
            row["recv_bps"] = int((row["rx_bytes"] - rx) * 8 / span_s) if span_s else 0
            row["send_bps"] = int((row["tx_bytes"] - tx) * 8 / span_s) if span_s else 0
            row["connected"], row["tcp"] = bool(row["connected"]), bool(row["tcp"])
            result.append(cast(TransportStats, row))
        return result


def _publications(table: Table, model: Model) -> list[PublicationStats]:
    result: dict[int, PublicationStats] = {}
    for row in rows(table):
        handle = row.pop("publication")
        publication = model.publications.get(handle)
        if publication is None:
            continue
        new: PublicationStats = {"publication": handle, "source": publication.source, "encodings": []}
        result.setdefault(handle, new)["encodings"].append(cast(EncodingStats, row))
    return list(result.values())


def _subscriptions(
    table: Table, model: Model, sources: SourceRates, reasons: Mapping[int, Reason]
) -> list[SubscriptionStats]:
    result = []
    for row in rows(table):
        handle, spatial = row["subscription"], row["spatial"]
        leg = model.subscriptions.get(handle)
        if leg is None:
            continue
        row["loss"] = row.pop("loss_q8") / 256
        row["height"] = sources.height(row["publication"], spatial) if spatial >= 0 and leg.kind == "video" else 0
        row["reason"] = reasons.get(handle, "ok" if leg.publication is not None else "no_source")
        result.append(cast(SubscriptionStats, row))
    return result

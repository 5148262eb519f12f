"""Media's `stats` events as totals that never fall, and as the rows of the operator's table: values in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from signaling.lesson import Lesson, Participant
from streaming.params import EncodingStats, PublicationStats, SubscriptionStats, TransportStats

COUNTERS = {
    "transport": ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes"),
    "encoding": ("packets", "lost", "recovered", "keyframes", "plis", "nacks"),
    "subscription": ("packets", "dropped", "nacks", "rtx_packets", "plis"),
    "drop": ("count",),
}
LAYER_NAMES = ("l", "m", "h")
Key = tuple[str, int | str, int]


class Durations:
    """A histogram in whole: how many times were at most so long."""

    LIMITS_S = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)

    def __init__(self) -> None:
        self.count = 0
        self.sum_s = 0.0
        self._at_most = dict.fromkeys(self.LIMITS_S, 0)

    def append(self, seconds: float) -> None:
        """One more."""
        self.count += 1
        self.sum_s += seconds
        for limit in self.LIMITS_S:
            self._at_most[limit] += seconds <= limit

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus wants them: cumulative, with +Inf."""
        return [(str(limit), float(n)) for limit, n in self._at_most.items()] + [("+Inf", float(self.count))]


class StatsBook:
    """The last rows by handle, and sums that go on when an object, or the whole media process, goes away."""

    def __init__(self) -> None:
        self.transports: dict[int, TransportStats] = {}
        self.publications: dict[int, PublicationStats] = {}
        self.subscriptions: dict[int, SubscriptionStats] = {}
        self.totals: Counter[str] = Counter()
        self.drops: Counter[str] = Counter()
        self._last: dict[Key, dict[str, int]] = {}

    def take(self, event: dict[str, Any]) -> None:
        """One `stats` event."""
        self.transports = {row["transport"]: row for row in event["transports"]}
        self.publications = {row["publication"]: row for row in event["publications"]}
        self.subscriptions = {row["subscription"]: row for row in event["subscriptions"]}
        now: dict[Key, dict[str, int]] = {}
        for key, row in self._rows(event):
            now[key] = {name: int(row[name]) for name in COUNTERS[key[0]]}
            before = self._last.get(key, {})
            for name, value in now[key].items():
                grown = max(0, value - before.get(name, 0))
                self.totals[f"{key[0]}_{name}"] += grown
                if key[0] == "drop":
                    self.drops[str(key[1])] += grown
        self._last = now

    def forget(self) -> None:
        """Media began anew: its counters start at zero."""
        self._last = {}
        self.transports, self.publications, self.subscriptions = {}, {}, {}

    @staticmethod
    def _rows(event: dict[str, Any]) -> Iterator[tuple[Key, Any]]:
        for row in event["transports"]:
            yield ("transport", row["transport"], 0), row
        for row in event["publications"]:
            for encoding in row["encodings"]:
                yield ("encoding", row["publication"], encoding["encoding"]), encoding
        for row in event["subscriptions"]:
            yield ("subscription", row["subscription"], 0), row
        for reason, count in event["drops"].items():
            yield ("drop", reason, 0), {"count": count}

    # the operator's table

    def table(self, lesson_id: str, lesson: Lesson) -> list[dict[str, Any]]:
        """One row for each participant; rates are the participant's: `recv_bps` is what arrives there."""
        return [self._row(lesson_id, participant) for participant in lesson.participants.values()]

    def _row(self, lesson_id: str, participant: Participant) -> dict[str, Any]:
        transport = participant.transport
        stats = self.transports.get(transport.handle) if transport is not None else None
        state = "connected" if transport is not None and transport.connected else "joined"
        rtt_us = stats["rtt_us"] if stats is not None else -1
        rung = Lesson.rung_of(participant)
        return {
            "id": participant.session[:8],
            "sub": participant.rights.sub,
            "name": participant.rights.name,
            "role": participant.rights.role,
            "kind": participant.kind,
            "lesson": lesson_id,
            "state": state if participant.online else "away",
            "recv_bps": stats["send_bps"] if stats is not None else None,
            "send_bps": stats["recv_bps"] if stats is not None else None,
            "loss": self._loss(participant),
            "layer": self._layer(participant),
            "rtt_ms": round(rtt_us / 1000, 1) if rtt_us >= 0 else None,
            "last_keyframe_s": self._last_keyframe_s(participant),
            "tcp": stats["tcp"] if stats is not None else None,
            "reason": rung.reason if rung is not None else None,
            "estimate_kbps": rung.estimate_kbps if rung is not None else None,
            "report": participant.report.model_dump(exclude={"type"}) if participant.report is not None else None,
        }

    def _encodings(self, participant: Participant) -> list[EncodingStats]:
        """The encodings that a participant sends."""
        sent = participant.transport.publications.values() if participant.transport is not None else ()
        rows = (self.publications.get(publication.handle) for publication in sent)
        return [encoding for row in rows if row is not None for encoding in row["encodings"]]

    def _loss(self, participant: Participant) -> float | None:
        if participant.is_output:
            encodings = self._encodings(participant)
            packets = sum(e["packets"] + e["lost"] for e in encodings)
            return round(sum(e["lost"] for e in encodings) / packets, 4) if packets else None
        slots = participant.transport.slots if participant.transport is not None else []
        rows = [self.subscriptions[s.handle] for s in slots if s.publication and s.handle in self.subscriptions]
        return round(max((row["loss"] for row in rows), default=0.0), 4) if rows else None

    def _layer(self, participant: Participant) -> str | None:
        """A receiver's camera layer, or the layers that an output end sends."""
        if participant.transport is None:
            return None
        camera = participant.transport.publications.get("camera")
        if camera is not None and (row := self.publications.get(camera.handle)) is not None:
            live = [e["encoding"] for e in row["encodings"] if e["bitrate_bps"] > 0]
            return "".join(LAYER_NAMES[min(number, 2)] for number in live) or None
        slot = next((s for s in participant.transport.slots if s.shown == "camera"), None)
        stats = self.subscriptions.get(slot.handle) if slot is not None else None
        if stats is None:
            return None
        return LAYER_NAMES[min(stats["spatial"], 2)] if stats["spatial"] >= 0 else "paused"

    def _last_keyframe_s(self, participant: Participant) -> float | None:
        if participant.transport is None:
            return None
        handles = [p.handle for p in participant.transport.publications.values() if p.source != "microphone"]
        handles += [s.publication for s in participant.transport.slots if s.kind == "video" and s.publication]
        rows = (self.publications.get(handle) for handle in handles)
        ages = [e["last_keyframe_us"] for row in rows if row is not None for e in row["encodings"]]
        known = [age for age in ages if age >= 0]
        return round(min(known) / 1e6, 1) if known else None

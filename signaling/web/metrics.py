"""Prometheus metrics: one collector over the hub, on a listener of its own. Base units, `_total`, no identities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from signaling.hub import Hub
from signaling.lesson import GRAVITY
from signaling.people.rights_table import ROLES
from signaling.web.health import unready

VERSION = "0.1.0"


class HubCollector(Collector):
    """Reads the hub when it is asked; nothing is counted per packet in Python."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterable[Metric]:
        """All families."""
        yield InfoMetricFamily("zhuandi_build", "Version of the server", value={"version": VERSION})
        yield GaugeMetricFamily("zhuandi_rooms", "Open lessons", value=len(self._hub.rooms))
        yield self._participants()
        yield self._tracks()
        yield from self._rungs()
        yield from self._traffic()
        yield from self._repairs()
        yield self._joins()
        active = sum(1 for room in self._hub.rooms.values() if room.lesson.recording.on and room.opened)
        yield GaugeMetricFamily("zhuandi_recordings_active", "Lessons that are being recorded", value=active)
        yield GaugeMetricFamily("zhuandi_draining", "1 while no new lessons are taken", value=int(self._hub.draining))
        yield GaugeMetricFamily("zhuandi_ready", "1 while lessons can be taken", value=int(not unready(self._hub)))

    def _participants(self) -> Metric:
        family = GaugeMetricFamily("zhuandi_participants", "Participants who are here", labels=["role"])
        rooms = self._hub.rooms.values()
        counts = Counter(p.rights.role for room in rooms for p in room.lesson.participants.values() if p.online)
        for role in ROLES:
            family.add_metric([role], counts[role])
        return family

    def _tracks(self) -> Metric:
        family = GaugeMetricFamily("zhuandi_tracks", "Media tracks", labels=["kind", "direction"])
        counts: Counter[tuple[str, str]] = Counter()
        for room in self._hub.rooms.values():
            for participant in room.lesson.participants.values():
                if participant.transport is not None:
                    for source in participant.transport.publications:
                        counts["audio" if source == "microphone" else "video", "in"] += 1
                    for slot in participant.transport.slots:
                        counts[slot.kind, "out"] += slot.publication is not None
        for kind in ("audio", "video"):
            for direction in ("in", "out"):
                family.add_metric([kind, direction], counts[kind, direction])
        return family

    def _rungs(self) -> Iterable[Metric]:
        """What classrooms get and why, and what output ends are spared."""
        held = GaugeMetricFamily("zhuandi_classrooms", "Receiving ends by what keeps them from more", labels=["reason"])
        encodings = GaugeMetricFamily("zhuandi_encodings", "Encodings of pictures by who wants them", labels=["wanted"])
        reasons: Counter[str] = Counter()
        wanted: Counter[str] = Counter()
        for room in self._hub.rooms.values():
            reasons.update(room.lesson.classrooms().counts)
            for participant in room.lesson.participants.values():
                for publication in participant.transport.publications.values() if participant.transport else ():
                    if publication.wanted is not None:
                        wanted.update(publication.wanted)
        for reason in GRAVITY:
            held.add_metric([reason], reasons[reason])
        for who in ("watched", "recorded"):
            encodings.add_metric([who], wanted[who])
        return held, encodings

    def _traffic(self) -> Iterable[Metric]:
        totals = self._hub.book.totals
        for unit in ("packets", "bytes"):
            family = CounterMetricFamily(f"zhuandi_{unit}", f"Media {unit}", labels=["direction"])
            family.add_metric(["in"], totals[f"transport_rx_{unit}"])
            family.add_metric(["out"], totals[f"transport_tx_{unit}"])
            yield family
        dropped = CounterMetricFamily("zhuandi_dropped_packets", "Packets that were not forwarded", labels=["reason"])
        for reason, count in sorted(self._hub.book.drops.items()):
            dropped.add_metric([reason], count)
        yield dropped

    def _repairs(self) -> Iterable[Metric]:
        totals = self._hub.book.totals
        named = {
            "zhuandi_packets_lost": ("Packets of publishers that never came", "encoding_lost"),
            "zhuandi_packets_recovered": ("Lost packets of publishers that were repaired", "encoding_recovered"),
            "zhuandi_keyframes": ("Key frames of publishers", "encoding_keyframes"),
            "zhuandi_rtx_packets": ("Repairs sent to receivers", "subscription_rtx_packets"),
        }
        for name, (help_text, key) in named.items():
            yield CounterMetricFamily(name, help_text, value=totals[key])
        for word in ("nacks", "plis"):
            family = CounterMetricFamily(f"zhuandi_{word}", f"RTCP {word} by who sent them", labels=["direction"])
            family.add_metric(["in"], totals[f"subscription_{word}"])
            family.add_metric(["out"], totals[f"encoding_{word}"])
            yield family

    def _joins(self) -> Metric:
        seconds = self._hub.join_seconds
        return HistogramMetricFamily(
            "zhuandi_join_duration_seconds",
            "Offer to media connection",
            buckets=seconds.buckets(),
            sum_value=seconds.sum_s,
        )


def metrics_app(hub: Hub) -> web.Application:
    """The listener's application: /metrics only."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HubCollector(hub))

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    return app

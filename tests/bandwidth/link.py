"""A link and its receiver as a model: a queue of given capacity, loss; packets, pacer, transport-wide feedback."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bandwidth.columns import CAMERA, MICROPHONE, SCREEN, Decision, Demand, Feedback
from bandwidth.policy import AdaptivePolicy

STEP_MS = 5
TICK_MS = 100
HEADERS = 66
GROUPS = 16
# Payload bit/s of what a browser sends: low-rate and normal sound, camera in three layers, a screen.
SOUND = (13_000, 32_000, 0)
PICTURE = (90_000, 330_000, 1_200_000)
SLIDES = (220_000, 0, 0)
PARTS = (0.4, 0.6, 1.0, 1.0)
PERIOD_MS = {0: 60, 1: 20}


@dataclass
class Packet:
    size: int
    kind: str  # "sound" | "picture" | "padding"
    sent_ms: float = 0.0
    queued_ms: float = 0.0
    arrived_ms: float = -1.0
    probe: int = 0


@dataclass
class Receiver:
    """One classroom behind one link."""

    transport: int = 9
    capacity: Callable[[float], float] = lambda now_s: 1e6  # bit/s at a time in seconds
    delay_ms: float = 50.0
    queue_ms: float = 1000.0
    loss: float = 0.0
    roles: tuple[int, ...] = (MICROPHONE, CAMERA)
    reports: str = "twcc"  # | "remb" | "rr" | ""
    seed: int = 1
    missing_bytes: int = 0  # of stills
    spatial: dict[int, int] = field(default_factory=dict)
    temporal: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.pacer: deque[Packet] = deque()
        self.link: deque[Packet] = deque()
        self.link_bits = 0.0
        self.credit = 0.0
        self.served = 0.0
        self.pacing_bps = 0.0
        self.probe_bps, self.probe_until, self.probe_id, self.probe_state = 0.0, -1.0, 0, 0
        self.probe_sent: list[Packet] = []
        self.flight: deque[Packet] = deque()
        self.told: list[tuple[float, list[Packet]]] = []
        self.acked: list[Packet] = []
        self.lost, self.expected, self.runs, self.in_row = 0, 0, 0, False
        self.sent_bytes = 0
        self.last_feedback_ms = -1.0
        self.copies = 0
        self.arrived: list[Packet] = []
        self.last_acked: Packet | None = None
        self.padding_bytes = 0
        self.all_bytes = 0
        self.remb = 0.0

    # what is sent
    def make(self, now: float) -> None:
        for role in self.roles:
            layer = self.spatial.get(role, 0 if role == MICROPHONE else -1)
            if layer < 0:
                continue
            if role == MICROPHONE:
                period = PERIOD_MS[layer]
                if now % period < STEP_MS:
                    payload = SOUND[layer] * period / 8000
                    size = int(payload * (1 + self.copies) + HEADERS)
                    self.leave(Packet(size, "sound"), now)
                continue
            rates = PICTURE if role == CAMERA else SLIDES
            temporal = self.temporal.get(role, -1)
            frames = {0: 7.5, 1: 15.0}.get(temporal, 30.0)
            if int((now + STEP_MS) * frames / 1000) > int(now * frames / 1000):
                bits = rates[layer] * PARTS[temporal] / frames
                count = max(1, round(bits / 8 / 1100 + 0.5))
                for _ in range(count):
                    self.pacer.append(Packet(int(bits / 8 / count) + HEADERS, "picture", queued_ms=now))

    def leave(self, packet: Packet, now: float) -> None:
        packet.sent_ms = now
        self.sent_bytes += packet.size
        self.all_bytes += packet.size
        self.flight.append(packet)
        if self.probe_state == 1 and now < self.probe_until:
            packet.probe = self.probe_id
            self.probe_sent.append(packet)
        if packet.kind == "padding":
            self.padding_bytes += packet.size
        queue_bits = self.link_bits
        if queue_bits > self.queue_ms / 1000 * max(self.capacity(now / 1000), 50_000):
            return
        if self.random.random() < self.loss:
            return
        self.link.append(packet)
        self.link_bits += packet.size * 8

    def pace(self, now: float) -> None:
        while self.pacer and self.pacing_bps and now - self.pacer[0].queued_ms > 500:
            self.pacer.popleft()
        rate = max(self.pacing_bps, self.probe_bps if now < self.probe_until else 0.0)
        if not self.pacing_bps:
            rate = 1e9
        self.credit = min(self.credit + rate * STEP_MS / 1000, rate * 0.01 + 1)
        while self.credit > 0 and self.pacer:
            packet = self.pacer.popleft()
            self.credit -= packet.size * 8
            self.leave(packet, now)
        while self.credit > 0 and now < self.probe_until:
            self.credit -= 250 * 8
            self.leave(Packet(250, "padding"), now)

    # what arrives
    def serve(self, now: float) -> None:
        self.served += self.capacity(now / 1000) * STEP_MS / 1000
        while self.link and self.served >= self.link[0].size * 8:
            packet = self.link.popleft()
            self.served -= packet.size * 8
            self.link_bits -= packet.size * 8
            share = STEP_MS * (1 - min(1.0, self.served / max(self.capacity(now / 1000) * STEP_MS / 1000, 1.0)))
            packet.arrived_ms = now + share + self.delay_ms
            self.arrived.append(packet)
        if not self.link:
            self.served = min(self.served, 0.0)

    def feed_back(self, now: float) -> None:
        """The receiver speaks every 60 ms of what it has; it is heard one way later."""
        if now % 60 >= STEP_MS:
            return
        here = [packet for packet in self.flight if 0 <= packet.arrived_ms <= now]
        if here:
            newest = here[-1].sent_ms
            spoken = []
            while (
                self.flight
                and self.flight[0].sent_ms <= newest
                and (self.flight[0].arrived_ms <= now or self.flight[0] is not here[-1])
            ):
                spoken.append(self.flight.popleft())
                if spoken[-1] is here[-1]:
                    break
            self.told.append((now + self.delay_ms, spoken))

    def hear(self, now: float) -> None:
        while self.told and self.told[0][0] <= now:
            _, packets = self.told.pop(0)
            self.last_feedback_ms = now
            for packet in packets:
                self.expected += 1
                if packet.arrived_ms < 0:
                    self.lost += 1
                    self.runs += not self.in_row
                    self.in_row = True
                else:
                    self.in_row = False
                    self.acked.append(packet)
            ours = [packet for packet in packets if packet.probe == self.probe_id and packet.arrived_ms >= 0]
            if self.probe_state == 1 and self.probe_sent and now >= self.probe_until:
                last = self.probe_sent[-1]
                if last in packets or (ours == [] and now > self.probe_until + 400):
                    self.probe_state = 2
            if self.probe_state == 1 and ours and self.base is not None:
                rise = ours[-1].arrived_ms - ours[-1].sent_ms - self.probe_base
                if rise > 60:
                    self.probe_until, self.probe_state = min(now, self.probe_until), 3

    base: float | None = None
    probe_base: float = 0.0

    def step(self, now: float) -> None:
        self.make(now)
        self.pace(now)
        self.serve(now)
        self.feed_back(now)
        self.hear(now)

    # columns
    def row(self, now: float) -> dict[str, object]:
        acked, self.acked = self.acked, []
        groups: list[tuple[float, float, float]] = []
        last = self.last_acked
        for packet in acked:
            if last is not None and packet.sent_ms - last.sent_ms > 5:
                groups.append((packet.sent_ms - last.sent_ms, packet.arrived_ms - last.arrived_ms, packet.arrived_ms))
                last = packet
            elif last is None:
                last = packet
            else:
                last = packet if packet.arrived_ms > last.arrived_ms else last
        self.last_acked = last
        delays = [packet.arrived_ms - packet.sent_ms for packet in acked]
        if delays:
            self.base = min(delays) if self.base is None else min(self.base, *delays)
        twcc = self.reports == "twcc"
        rtt = int((self.delay_ms * 2 + (delays[-1] - self.delay_ms if delays else 0)) * 1000)
        probe_rates = (0.0, 0.0)
        state = self.probe_state
        if state in (2, 3):
            sent = self.probe_sent
            span = max(sent[-1].sent_ms - sent[0].sent_ms, 1.0) if sent else 1.0
            got = [packet for packet in sent if 0 <= packet.arrived_ms <= now - self.delay_ms]
            received = max(got[-1].arrived_ms - got[0].arrived_ms, 1.0) if len(got) > 1 else 0.0
            probe_rates = (
                sum(p.size for p in sent[:-1]) * 8000 / span,
                sum(p.size for p in got[1:]) * 8000 / received if received else 0.0,
            )
            self.probe_state, self.probe_sent = 0, []
        result: dict[str, object] = {
            "transport": self.transport,
            "remb_bps": int(self.remb),
            "rtt_us": rtt if self.reports else -1,
            "heard": {"twcc": 2, "remb": 1, "rr": 1, "": 0}[self.reports],
            "sent_bytes": self.sent_bytes,
            "acked_bytes": sum(packet.size for packet in acked) if twcc else 0,
            "acked_packets": len(acked) if twcc else 0,
            "lost": self.lost if self.reports else 0,
            "expected": self.expected if self.reports else 0,
            "loss_runs": self.runs if twcc else 0,
            "groups": groups[-GROUPS:] if twcc else [],
            "delay_ms": min(delays) if delays and twcc else np.nan,
            "delay_mean_ms": sum(delays) / len(delays) if delays and twcc else np.nan,
            "arrival_ms": max(p.arrived_ms for p in acked) if acked and twcc else np.nan,
            "feedback_age_us": int((now - self.last_feedback_ms) * 1000) if self.last_feedback_ms >= 0 else -1,
            "in_flight_bytes": sum(packet.size for packet in self.flight) if twcc else 0,
            "queue_us": int((now - self.pacer[0].queued_ms) * 1000) if self.pacer else 0,
            "probe_sent_bps": int(probe_rates[0]),
            "probe_acked_bps": int(probe_rates[1]),
            "probe_state": state,
            "still_left_bytes": self.missing_bytes,
        }
        self.sent_bytes = self.lost = self.expected = self.runs = 0
        return result

    def obey(self, decision: Decision, now: float) -> None:
        for handle, spatial, temporal in zip(
            decision.subscription.tolist(), decision.spatial.tolist(), decision.temporal.tolist(), strict=True
        ):
            if handle // 10 == self.transport:
                self.spatial[handle % 10], self.temporal[handle % 10] = spatial, temporal
        for index, transport in enumerate(decision.transport.tolist()):
            if transport != self.transport:
                continue
            self.pacing_bps = float(decision.pacing_bps[index])
            self.copies = int(decision.redundancy[index]).bit_count()
            if decision.probe_bps[index] and self.probe_state != 1:
                self.probe_bps = float(decision.probe_bps[index])
                self.probe_until = now + float(decision.probe_us[index]) / 1000
                self.probe_id += 1
                self.probe_state, self.probe_sent = 1, []
                delays = [packet.arrived_ms - packet.sent_ms for packet in self.arrived[-8:]]
                self.probe_base = min(delays) if delays else self.delay_ms

    @property
    def queued_ms(self) -> float:
        """Delay that a packet would meet now in the link."""
        return self.link_bits * 1000


def feedback_of(rows: list[dict[str, object]]) -> Feedback:
    """Rows as columns; what a row does not name is zero."""
    groups = np.zeros((len(rows), GROUPS, 3))
    counts = np.zeros(len(rows), dtype=np.uint8)
    for number, row in enumerate(rows):
        listed = row.get("groups", [])
        assert isinstance(listed, list)
        counts[number] = len(listed)
        if listed:
            groups[number, : len(listed)] = listed
    kinds = {"transport": np.uint32, "heard": np.uint8, "probe_state": np.uint8, "rtt_us": np.int64}
    missing = {"rtt_us": -1, "feedback_age_us": -1, "delay_ms": np.nan, "delay_mean_ms": np.nan, "arrival_ms": np.nan}
    columns: dict[str, object] = {}
    for name in Feedback.__dataclass_fields__:
        kind = np.float64 if name.endswith("_ms") else kinds.get(name, np.int64)
        columns[name] = np.array([row.get(name, missing.get(name, 0)) for row in rows if name != "groups"], dtype=kind)
    return Feedback(**{**columns, "groups": groups, "group_count": counts})  # type: ignore[arg-type]


def demand_of(receivers: list[Receiver], start_bps: int = 0) -> Demand:
    """One leg a role of each receiver; its handle is ten times the transport plus the role."""
    legs = [(receiver, role) for receiver in receivers for role in receiver.roles]
    rates = np.zeros((len(legs), 3, 4), dtype=np.uint64)
    packets = np.zeros((len(legs), 3))
    for number, (_, role) in enumerate(legs):
        per_layer = {MICROPHONE: SOUND, CAMERA: PICTURE, SCREEN: SLIDES}[role]
        parts = (1, 1, 1, 1) if role == MICROPHONE else PARTS
        rates[number] = [[int(rate * part) for part in parts] for rate in per_layer]
        packets[number] = (16.7, 50, 0) if role == MICROPHONE else [max(30, rate / 8800) for rate in per_layer]
    count = len(legs)
    return Demand(
        subscription=np.array([10 * receiver.transport + role for receiver, role in legs], dtype=np.uint32),
        transport=np.array([receiver.transport for receiver, _ in legs], dtype=np.uint32),
        role=np.array([role for _, role in legs], dtype=np.int8),
        cap=np.full(count, 2, dtype=np.int8),
        chosen_us=np.full(count, -1, dtype=np.int64),
        rates_bps=rates,
        packets_hz=packets,
        listening=np.ones(count, dtype=np.bool_),
        start_bps=np.full(count, start_bps, dtype=np.uint64),
    )


@dataclass
class World:
    """Receivers under one policy and one clock."""

    receivers: list[Receiver]
    policy: AdaptivePolicy = field(default_factory=AdaptivePolicy)
    now_ms: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)
    trace: bool = False
    decision: Decision | None = None
    demand: Demand | None = None
    start_bps: int = 0

    def run(self, seconds: float) -> None:
        until = self.now_ms + seconds * 1000
        while self.now_ms < until:
            for receiver in self.receivers:
                receiver.step(self.now_ms)
            self.now_ms += STEP_MS
            if self.now_ms % TICK_MS < STEP_MS:
                self.tick()

    def tick(self) -> None:
        rows = [receiver.row(self.now_ms) for receiver in self.receivers]
        now_us = int(self.now_ms * 1000)
        demand = self.demand if self.demand is not None else demand_of(self.receivers, self.start_bps)
        self.decision = decision = self.policy.decide(now_us, feedback_of(rows), demand)
        for receiver in self.receivers:
            receiver.obey(decision, self.now_ms)
        self.log.append(
            {
                "t": self.now_ms / 1000,
                "estimate": float(decision.estimate_bps[0]),
                "sent": 80.0 * float(rows[0]["sent_bytes"]),  # type: ignore[arg-type]
                "queue": self.receivers[0].link_bits / max(self.receivers[0].capacity(self.now_ms / 1000), 1e3) * 1000,
                "spatial": float(self.receivers[0].spatial.get(CAMERA, -1)),
                "temporal": float(self.receivers[0].temporal.get(CAMERA, -1)),
                "probe": float(decision.probe_bps[0]),
            }
        )

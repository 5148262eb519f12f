"""The figures of one link, from the samples of its classroom and from the best possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.links import films, oracle
from benchmarks.links.catalogue import OUTAGE_LONG_S, OUTAGE_SHORT_S, STEP_S, WARM_S, Scenario
from benchmarks.links.lesson import Samples, World
from benchmarks.links.page import deep_us

Figures = dict[str, float | None]
# Sound may need this long after an outage before a gap is no longer the outage's.
AFTER_OUTAGE_S = 0.5
GOOD = 0.9  # of the ladder's optimum: there again
REACT_S = 0.3  # rates are looked at over this span


@dataclass(frozen=True)
class Seen:
    """What there is to know about one link."""

    scenario: Scenario
    room: int
    samples: Samples
    gaps: list[tuple[float, float]]  # when a stretch of made-up sound began and how long it was, in seconds
    capacity: NDArray[np.float64]
    best: oracle.Best

    def series(self, name: str) -> NDArray[Any]:
        """A column over time."""
        return self.samples.series(name, self.room)

    @property
    def at_s(self) -> NDArray[np.float64]:
        """Times of the samples."""
        return np.array(self.samples.at_us) / 1e6

    def grown(self, name: str) -> float:
        """How much a counter grew in the measured span."""
        values = self.series(name)
        return float(values[-1]) - float(values[self.warm])

    @property
    def warm(self) -> int:
        """The first sample that counts."""
        return int(np.searchsorted(self.at_s, WARM_S))


def look(world: World, samples: Samples, scenarios: list[Scenario], *, two_voices: bool) -> list[Seen]:
    """All links of a world that was run."""
    table = world.sim.take_gaps()
    found = []
    for number, (scenario, room) in enumerate(zip(scenarios, world.rooms, strict=True)):
        mine = table["subscription"] == room.microphone
        gaps = list(zip(table["at_us"][mine] / 1e6, table["length_us"][mine] / 1e6, strict=True))
        capacity = oracle.capacity_bps(scenario)
        best = oracle.best(capacity, scenario.loss, two_voices=two_voices)
        found.append(Seen(scenario, number, samples, gaps, capacity, best))
    return found


def figures(seen: Seen, world: World, *, two_voices: bool) -> Figures:
    """What is printed for every link."""
    span_s = float(seen.at_s[-1] - seen.at_s[seen.warm])
    played, concealed = seen.grown("sounds.played_us"), seen.grown("sounds.concealed_us")
    media_bits = 8 * (seen.grown("sounds.bytes") + seen.grown("pictures.bytes"))
    first = round(WARM_S / oracle.SLOT_S)
    voice_bps = films.microphone(two_voices).link_bps(0, 0)
    mean_bps = float(seen.capacity[first:].mean())
    room = world.rooms[seen.room]
    return {
        "audio_concealed": concealed / max(played, 1.0),
        "audio_longest_gap_ms": 1000 * longest_gap_s(seen, voice_bps),
        "freeze_ratio": seen.grown("pictures.frozen_us") / 1e6 / span_s,
        "utilisation": media_bits / span_s / float(seen.best.media_bps[first:].mean()),
        "self_delay_p95_ms": float(seen.series("links.own_delay_p95_ms")[-1]),
        "recovery_s": recovery_s(seen),
        "switches_per_min": seen.grown("pictures.switches") * 60 / span_s,
        "probe_share": world.probe_share(room),
        "video_off_ratio": seen.grown("pictures.off_us") / 1e6 / span_s,
        "video_off_oracle": float(seen.best.off[first:].mean()),
        "freeze_bound": oracle.least_frozen(seen.capacity, WARM_S),
        "delivered_share": media_bits / span_s / mean_bps,
        "mean_kbps": mean_bps / 1000,
        "first_picture_s": _or_none(float(seen.series("pictures.first_us")[-1]) / 1e6),
        "sound_delay_ms": float(seen.series("sounds.delay_us")[-1]) / 1000,
    }


def longest_gap_s(seen: Seen, voice_bps: float) -> float:
    """The longest stretch of made-up sound that no outage explains."""
    outages = oracle.outages(seen.capacity, voice_bps)
    delay_s = seen.scenario.down.get("delay_us", 0) / 1e6
    delay_s += deep_us(seen.scenario.speaks) / 1e6

    def excused(at_s: float, length_s: float) -> bool:
        return any(at_s < last + AFTER_OUTAGE_S + delay_s and at_s + length_s > first for first, last in outages)

    lengths = [length for at, length in seen.gaps if at >= WARM_S and not excused(at, length)]
    return max(lengths, default=0.0)


def rate_bps(seen: Seen, name: str, width_s: float) -> NDArray[np.float64]:
    """Rate of a byte counter over the span before each sample."""
    at_s, values = seen.at_s, seen.series(name).astype(np.float64)
    before = np.interp(at_s - width_s, at_s, values)
    return np.asarray(8 * (values - before) / np.minimum(width_s, np.maximum(at_s, 1e-9)))


def media_bps(seen: Seen, width_s: float) -> NDArray[np.float64]:
    """What is heard and seen, as a rate over the span before each sample."""
    return rate_bps(seen, "sounds.bytes", width_s) + rate_bps(seen, "pictures.bytes", width_s)


def recovery_s(seen: Seen) -> float | None:
    """Seconds from a change of the link until nine tenths of the new optimum arrive; None: it stays."""
    if seen.scenario.group != "change":
        return None
    end_s = float(STEP_S)
    for from_us, until_us, _ in seen.scenario.down.get("outages", []):
        end_s = until_us / 1e6 if from_us == STEP_S * 1_000_000 else end_s
    return back_s(seen, end_s)


def back_s(seen: Seen, from_s: float) -> float:
    """Seconds until the media of one second is nine tenths of the optimum at the end of the run."""
    wanted = GOOD * float(seen.best.media_bps[-round(10 / oracle.SLOT_S) :].mean())
    good = (seen.at_s > from_s) & (media_bps(seen, 1.0) >= wanted)
    return float(seen.at_s[np.argmax(good)]) - from_s if good.any() else float(seen.at_s[-1]) - from_s


def fall(seen: Seen) -> tuple[float, float]:
    """Seconds after the fall until less is sent than fits, and until less than 100 ms wait, both for a second."""
    sent = rate_bps(seen, "links.sent_bytes", REACT_S)
    low_bps = float(seen.capacity[-1])
    # A rate over a span is under capacity from the span's beginning on.
    react = _lasting(seen, sent <= low_bps) - REACT_S
    drained = _lasting(seen, seen.series("links.queue_us") < 100_000)
    return max(react, 0.0), drained


def _lasting(seen: Seen, good: NDArray[np.bool_]) -> float:
    """Seconds after the change from which on it is good for a second."""
    after = np.flatnonzero(seen.at_s > STEP_S + 0.05)
    width = round(1.0 / float(np.diff(seen.at_s).min()))
    for at in after:
        if good[at : at + width].all():
            return float(seen.at_s[at]) - STEP_S
    return float(seen.at_s[-1]) - STEP_S


def outage(seen: Seen) -> tuple[float, float, float]:
    """Seconds after the end of an outage until sound, picture and nine tenths of the media of before are back."""
    length_s = OUTAGE_SHORT_S if f"{OUTAGE_SHORT_S}s" in seen.scenario.name.split() else OUTAGE_LONG_S
    end_s = float(STEP_S + length_s)
    sound = max((at + length - end_s for at, length in seen.gaps if at < end_s + 0.2), default=0.0)
    frames = seen.series("pictures.frames").astype(np.int64)
    moved = np.flatnonzero((np.diff(frames) > 0) & (seen.at_s[1:] > end_s))
    picture = float(seen.at_s[1:][moved[0]]) - end_s if moved.size else float(seen.at_s[-1]) - end_s
    before = (seen.at_s > STEP_S - 20) & (seen.at_s < STEP_S)
    wanted = GOOD * float(media_bps(seen, 1.0)[before].mean())
    good = (seen.at_s > end_s) & (media_bps(seen, 1.0) >= wanted)
    rung = float(seen.at_s[np.argmax(good)]) - end_s if good.any() else float(seen.at_s[-1]) - end_s
    return max(sound, 0.0), picture, rung


def delivered_bps(samples: Samples, room: int, from_s: float) -> float:
    """What came out of the link for a classroom, from a time to the end."""
    at_s = np.array(samples.at_us) / 1e6
    values = samples.series("links.delivered_bytes", room).astype(np.float64)
    first = int(np.searchsorted(at_s, from_s))
    return float(8 * (values[-1] - values[first]) / (at_s[-1] - at_s[first]))


def _or_none(value: float) -> float | None:
    return value if value >= 0 else None

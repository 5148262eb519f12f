"""The best possible: the ladder of a sender who knows the capacity ahead, and the freezes that nobody can avoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import CAMERA, MICROPHONE
from bandwidth.ladder import STEPS
from benchmarks.links import films
from benchmarks.links.catalogue import OUTAGE_S, Scenario
from streaming._core import Link

Floats = NDArray[np.float64]
SLOT_S = 0.1
SLOT_US = 100_000
HEADROOM = 0.9
AVERAGE_S = 5.0
# The clairvoyant sender of the freeze bound: a voice, and frames as large as they are seldom.
BOUND_VOICE_BPS = 25_000
BOUND_FRAME_BITS = 70_000 / 7.5
BOUND_FRAME_S = 1 / 7.5
# W3C's freeze: at least three mean gaps or the mean and this much more.
FREEZE_EXTRA_S = 0.15
FREEZE_WINDOW = 30


@dataclass(frozen=True)
class Best:
    """What the oracle does in each slot of `SLOT_S`."""

    media_bps: Floats
    off: NDArray[np.bool_]  # no picture at all


def capacity_bps(scenario: Scenario) -> Floats:
    """Mean capacity in each slot, outages included."""
    link = Link(scenario.down)
    count = round(scenario.seconds / SLOT_S)
    bits = [link.capacity_bits(slot * SLOT_US, (slot + 1) * SLOT_US) for slot in range(count)]
    return np.array(bits, dtype=np.float64) / SLOT_S


def best(capacity: Floats, loss: float, *, two_voices: bool) -> Best:
    """The ladder under nine tenths of the mean capacity of five seconds, less what is lost by chance."""
    budget = HEADROOM * (1 - loss) * _average(capacity, round(AVERAGE_S / SLOT_S))
    # Few budgets are worth telling apart: steps of 1 kbit/s.
    rounded, where = np.unique(np.floor(budget / 1000), return_inverse=True)
    points = [_fill(1000 * value, two_voices) for value in rounded]
    media = np.array([point[0] for point in points])[where]
    off = np.array([point[1] for point in points])[where]
    return Best(media, off)


def _fill(budget: float, two_voices: bool) -> tuple[float, bool]:
    """Media bit/s of the steps that fit, in order, and whether there is no picture. The first sound is always taken."""
    have = {MICROPHONE: films.microphone(two_voices), CAMERA: films.camera()}
    cost, media = dict.fromkeys(have, 0.0), dict.fromkeys(have, 0.0)
    blocked: set[int] = set()
    for role, encoding, temporal in STEPS:
        if role not in have or encoding >= len(have[role].encodings) or role in blocked:
            continue
        step = have[role].link_bps(encoding, temporal)
        others = sum(cost.values()) - cost[role]
        if step + others <= budget or (role == MICROPHONE and cost[role] == 0):
            cost[role], media[role] = step, have[role].media_bps(encoding, temporal)
        else:
            blocked.add(role)
    if cost[MICROPHONE] > budget:
        media[MICROPHONE] *= budget / cost[MICROPHONE]
    return sum(media.values()), cost[CAMERA] == 0


def _average(values: Floats, width: int) -> Floats:
    """Mean over a window around each value, shorter at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(values.size)
    first, last = np.maximum(at - width // 2, 0), np.minimum(at + width - width // 2, values.size)
    return np.asarray((sums[last] - sums[first]) / (last - first))


def outages(capacity: Floats, voice_bps: float) -> list[tuple[float, float]]:
    """Spans in seconds in which capacity stays under the voice for more than 200 ms."""
    low = np.concatenate([[False], capacity < voice_bps, [False]])
    edges = np.flatnonzero(np.diff(low.astype(np.int8)))
    spans = zip(edges[::2] * SLOT_S, edges[1::2] * SLOT_S, strict=True)
    return [(float(first), float(last)) for first, last in spans if last - first > OUTAGE_S + SLOT_S / 2]


def least_frozen(capacity: Floats, warm_s: float) -> float:
    """Share of time frozen when a clairvoyant sender gives what the voice leaves to the newest frame."""
    # The voice takes its part of half a second: the most that anybody waits for it.
    voice = np.minimum(1.0, BOUND_VOICE_BPS / np.maximum(_average(capacity, round(0.5 / SLOT_S)), 1.0))
    done = np.concatenate([[0.0], np.cumsum(capacity * (1 - voice) * SLOT_S)])
    times = np.arange(done.size) * SLOT_S
    shown: list[float] = []
    now = 0.0
    while now < times[-1]:
        captured = np.floor(now / BOUND_FRAME_S + 1e-9) * BOUND_FRAME_S
        begin = max(now, captured)
        goal = float(np.interp(begin, times, done)) + BOUND_FRAME_BITS
        if goal > done[-1]:
            break
        end = float(np.interp(goal, done, times))
        shown.append(end)
        # The next frame is one that was captured after this one.
        now = max(end, captured + BOUND_FRAME_S)
    return frozen(np.array(shown), warm_s, float(times[-1])) / (float(times[-1]) - warm_s)


def frozen(shown_s: Floats, begin_s: float, end_s: float) -> float:
    """Seconds frozen between two times, the open gap at the end included."""
    gaps = np.diff(shown_s, append=end_s)
    sums = np.concatenate([[0.0], np.cumsum(gaps)])
    at = np.arange(gaps.size)
    first = np.maximum(at - FREEZE_WINDOW, 0)
    mean = (sums[at] - sums[first]) / np.maximum(at - first, 1)
    froze = (at > 0) & (gaps >= np.maximum(3 * mean, mean + FREEZE_EXTRA_S))
    spans = np.minimum(shown_s + gaps, end_s) - np.maximum(shown_s, begin_s)
    return float(np.maximum(spans, 0.0)[froze].sum())

"""Which encodings of each picture anybody wants: what nobody watches is switched off at the teacher.

Encodings are counted from the lowest, without gaps: a classroom whose link falls must find the next lower one running.
On at once, off after a while, for a change of encodings costs the teacher key frames on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bandwidth.columns import Decision, Demand, Indices
from streaming.demand import Takers
from streaming.model import Model, Publication
from streaming.params import MediaEvent, Wanted
from streaming.rungs import places
from streaming.sources import LAYERS, SourceRates

Recorded = Literal["best", "watched"]
# An encoding that nobody wanted for so long is switched off.
OFF_US = 10_000_000
# The same for one that was asked for and never came: the teacher's uplink has no room, and switching it off saves none.
VAIN_US = 60_000_000
# What a climb would need soon is switched on before it: when the estimate reaches this share of what the climb costs.
SOON = 0.75


@dataclass
class _Asked:
    """What a publication's sender was told last; all encodings run when it begins."""

    watched: int
    needed_us: list[int]  # of each encoding, when a classroom last could use it


class WantedLayers:
    """Call `tick` with every decision; it returns the `wanted` events of publications whose wish changed."""

    def __init__(self, recorded: Recorded = "best") -> None:
        self._recorded = recorded
        self._asked: dict[int, _Asked] = {}

    def tick(self, now_us: int, model: Model, takers: Takers, sources: SourceRates) -> list[MediaEvent]:
        """`takers` are the legs of now and what they were given."""
        counts = _counts(takers)
        self._asked = {handle: asked for handle, asked in self._asked.items() if handle in model.publications}
        events = []
        for publication in model.publications.values():
            total = sources.encodings(publication.handle)
            if publication.source == "microphone" or total == 0:
                continue
            recorded = self._taken_by_the_recording(publication, total)
            watched = min(counts.get(publication.handle, 0), total)
            if self._ask(publication, watched, recorded, total, now_us, sources):
                events.append(_event(publication))
        return events

    def _taken_by_the_recording(self, publication: Publication, total: int) -> int:
        if not publication.in_log:
            return 0
        return total if self._recorded == "best" else 1

    def _ask(
        self, publication: Publication, watched: int, recorded: int, total: int, now_us: int, sources: SourceRates
    ) -> bool:
        """Whether the sender is to be told something new."""
        asked = self._asked.get(publication.handle)
        if asked is None:
            asked = self._asked[publication.handle] = _Asked(total, [now_us] * LAYERS)
            publication.wanted = {"watched": total, "recorded": recorded}
        for layer in range(watched):
            asked.needed_us[layer] = now_us
        count = max(asked.watched, watched)
        while count > watched:
            patience_us = OFF_US if sources.arrives(publication.handle, count - 1, now_us) else VAIN_US
            if now_us - asked.needed_us[count - 1] < patience_us:
                break
            count -= 1
        sources.ask(publication.handle, count, now_us)
        asked.watched = count
        wanted: Wanted = {"watched": count, "recorded": recorded}
        news = wanted != publication.wanted
        publication.wanted = wanted
        return news


def _counts(takers: Takers) -> dict[int, int]:
    """How many encodings, from the lowest, the legs of each publication take now or could take soon."""
    demand, decision = takers.demand, takers.decision
    counts = np.zeros(len(takers.publications), dtype=np.int64)
    if demand.subscription.size:
        leg = places(decision.subscription, demand.subscription)
        now = np.where(leg >= 0, decision.spatial[leg], -1).astype(np.int64)
        following = _soon(demand, decision, now)
        np.maximum.at(counts, takers.publication, np.maximum(now, following) + 1)
    return dict(zip((one.handle for one in takers.publications), counts.tolist(), strict=True))


def _soon(demand: Demand, decision: Decision, now: Indices) -> Indices:
    """The encoding that each leg could climb to before long, -1: none, or nothing is known of the links."""
    if decision.transport.size == 0:
        return np.full(now.size, -1, dtype=np.int64)
    legs = np.arange(now.size)
    whole_bps = demand.rates_bps[:, :, -1].astype(np.float64)
    takes_bps = np.where(now >= 0, whole_bps[legs, np.maximum(now, 0)], 0.0)
    row = places(decision.transport, demand.transport)
    together_bps = np.bincount(np.maximum(row, 0), takes_bps, decision.transport.size)[row]
    following = np.minimum(now + 1, whole_bps.shape[1] - 1)
    more_bps = demand.rates_bps[legs, following, 0].astype(np.float64)
    soon = (following > now) & (following <= demand.cap) & (more_bps > 0) & (row >= 0)
    soon &= decision.estimate_bps[row] >= SOON * (together_bps - takes_bps + more_bps)
    return np.where(soon, following, -1)


def _event(publication: Publication) -> MediaEvent:
    return {"event": "wanted", "publication": publication.handle, **(publication.wanted or {})}

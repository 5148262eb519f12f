"""What the legs want, as the policy's columns: the parts that people change are laid out anew only when they do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import (
    CAMERA,
    I8,
    I64,
    MICROPHONE,
    SCREEN,
    STAGE_PICTURE,
    STAGE_SOUND,
    U32,
    U64,
    Bools,
    Decision,
    Demand,
    Indices,
)
from streaming.link_memory import LinkMemory
from streaming.model import Model, Publication, Subscription, Transport
from streaming.params import Source
from streaming.sources import LAYERS, TEMPORAL_LAYERS, SourceRates

# The copies that stand farthest apart span 300 ms, and a buffer plays out 60 ms before it is empty (DESIGN 8).
DEEP_MS = 360
ROLE: dict[Source, int] = {"microphone": MICROPHONE, "screen": SCREEN, "camera": CAMERA}


@dataclass(frozen=True)
class _Layout:
    """Columns that stay while nobody comes, goes or chooses."""

    version: int
    publications: list[Publication]
    publication: Indices  # of each leg, index in `publications`
    subscription: U32
    transport: U32
    role: I8
    cap: I8
    chosen_us: I64
    listening: Bools
    start_bps: U64


@dataclass(frozen=True)
class Takers:
    """Who takes what: the publications with legs, and of each leg its publication, demand and decision."""

    publications: list[Publication]
    publication: Indices  # of each leg of `demand`, index in `publications`
    demand: Demand
    decision: Decision


class DemandBuilder:
    """Makes the demand of every tick."""

    def __init__(self, model: Model, memory: LinkMemory) -> None:
        self._model = model
        self._memory = memory
        self._layout: _Layout | None = None

    def build(self, sources: SourceRates, now_us: int) -> Demand:
        """The demand of now."""
        layout = self._layout
        if layout is None or layout.version != self._model.version:
            layout = self._layout = self._lay_out()
        rates = np.zeros((len(layout.publications), LAYERS, TEMPORAL_LAYERS))
        paces = np.zeros((len(layout.publications), LAYERS))
        for number, publication in enumerate(layout.publications):
            rates[number], paces[number] = sources.rates(publication.handle, publication.source, now_us)
        return Demand(
            subscription=layout.subscription,
            transport=layout.transport,
            role=layout.role,
            cap=layout.cap,
            chosen_us=layout.chosen_us,
            rates_bps=rates.astype(np.uint64)[layout.publication],
            packets_hz=paces[layout.publication],
            listening=layout.listening,
            start_bps=layout.start_bps,
        )

    def takers(self, demand: Demand, decision: Decision) -> Takers:
        """The legs of the demand just built, with what was decided on it."""
        layout = self._layout or self._lay_out()
        return Takers(layout.publications, layout.publication, demand, decision)

    def _lay_out(self) -> _Layout:
        found = [
            (transport, leg, role) for transport in self._model.transports.values() for leg, role in _roles(transport)
        ]
        publications = list(
            {leg.publication.handle: leg.publication for _, leg, _ in found if leg.publication}.values()
        )
        index = {publication.handle: number for number, publication in enumerate(publications)}
        legs = [leg for _, leg, _ in found]
        return _Layout(
            version=self._model.version,
            publications=publications,
            publication=np.array([index[leg.publication.handle] for leg in legs if leg.publication], dtype=np.intp),
            subscription=np.array([leg.handle for leg in legs], dtype=np.uint32),
            transport=np.array([leg.transport for leg in legs], dtype=np.uint32),
            role=np.array([role for _, _, role in found], dtype=np.int8),
            cap=np.array([leg.cap for leg in legs], dtype=np.int8),
            chosen_us=np.array([leg.chosen_us for leg in legs], dtype=np.int64),
            listening=np.array([_listens(transport) for transport, _, _ in found], dtype=np.bool_),
            start_bps=np.array([self._memory.recall(transport.link) for transport, _, _ in found], dtype=np.uint64),
        )


def _listens(transport: Transport) -> bool:
    """Whether the play-out buffer is deep; of an end that does not say so nobody knows, so it is not."""
    return transport.play_out_ms >= DEEP_MS


def _roles(transport: Transport) -> list[tuple[Subscription, int]]:
    """The connected legs of a transport; what comes from a classroom is the stage, and so is a second one of a kind."""
    result = []
    seen: set[int] = set()
    for leg in transport.subscriptions.values():
        if leg.publication is None:
            continue
        role = ROLE[leg.publication.source]
        if leg.publication.of_classroom or role in seen:
            role = STAGE_SOUND if leg.kind == "audio" else STAGE_PICTURE
        seen.add(role)
        result.append((leg, role))
    return result

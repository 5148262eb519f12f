"""What every classroom is told that it gets: one event for each slot of pictures whose rung changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bandwidth.columns import NO_SOURCE, OK, REASONS, Decision, Demand, Floats
from streaming.model import Model
from streaming.params import MediaEvent, Reason
from streaming.sources import LAYERS, SourceRates

# People are told another estimate when it differs by this factor.
TOLD_FACTOR = 1.25
COLUMNS = ("subscription", "spatial", "height", "reason", "estimate_bps")


class Rungs:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: dict[str, NDArray[Any]] = {}
        self.forget()

    def forget(self) -> None:
        """Nobody was told anything: all rungs change."""
        self._told = {name: np.zeros(0) for name in COLUMNS}

    def changed(
        self,
        table: Mapping[str, NDArray[Any]],
        decision: Decision,
        demand: Demand,
        sources: SourceRates,
        model: Model,
    ) -> list[MediaEvent]:
        """A rung is what really goes out (`table`), not what was decided: a better layer waits for its key frame."""
        now = _rungs(table, decision, demand, sources)
        told = self._told
        before = places(told["subscription"], now["subscription"])
        same = before >= 0
        for name in ("spatial", "height", "reason"):
            same &= _at(told[name], before) == now[name]
        last = _at(told["estimate_bps"], before)
        close = (now["estimate_bps"] <= last * TOLD_FACTOR) & (now["estimate_bps"] * TOLD_FACTOR >= last)
        same &= close | (now["reason"] == OK) | (now["reason"] == NO_SOURCE)
        now["estimate_bps"] = np.where(same, last, now["estimate_bps"])
        self._told = now
        return [event for row in np.flatnonzero(~same).tolist() if (event := _event(now, row, model)) is not None]


def word(reason: int) -> Reason:
    """The word of a code of `REASONS`."""
    return REASONS[reason]  # type: ignore[return-value]


def _rungs(
    table: Mapping[str, NDArray[Any]], decision: Decision, demand: Demand, sources: SourceRates
) -> dict[str, NDArray[Any]]:
    publications, of = np.unique(table["publication"], return_inverse=True)
    heights = np.array([[sources.height(one, layer) for layer in range(LAYERS)] for one in publications.tolist()])
    silent = np.array([not sources.sends(one) for one in publications.tolist()], dtype=np.bool_)
    spatial = table["spatial"].astype(np.int64)
    height = heights.reshape(-1, LAYERS)[of, np.clip(spatial, 0, LAYERS - 1)] if spatial.size else spatial
    leg = places(decision.subscription, table["subscription"])
    reason = np.where((leg < 0) | silent[of], NO_SOURCE, _at(decision.reason, leg))
    transport = places(decision.transport, _at(demand.transport, leg))
    estimate: Floats = np.where((leg >= 0) & (transport >= 0), _at(decision.estimate_bps, transport), 0).astype(float)
    return {
        "subscription": table["subscription"],
        "spatial": spatial,
        "height": np.where(spatial >= 0, height, 0),
        "reason": reason,
        "estimate_bps": estimate,
    }


def places(among: NDArray[Any], handles: NDArray[Any]) -> NDArray[np.intp]:
    """Where each handle stands in a list in any order, -1: nowhere."""
    if np.array_equal(among, handles):
        return np.arange(handles.size)
    if among.size == 0:
        return np.full(handles.size, -1, dtype=np.intp)
    order = np.argsort(among, kind="stable")
    place = order[np.minimum(np.searchsorted(among, handles, sorter=order), among.size - 1)]
    return np.where(among[place] == handles, place, -1)


def _at(column: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """Values at places; where the place is -1, any value."""
    return column[places] if column.size else np.zeros(places.size)


def _event(rungs: Mapping[str, NDArray[Any]], row: int, model: Model) -> MediaEvent | None:
    leg = model.subscriptions.get(int(rungs["subscription"][row]))
    if leg is None or leg.kind != "video":
        return None
    return {
        "event": "rung",
        "subscription": leg.handle,
        "spatial": int(rungs["spatial"][row]),
        "height": int(rungs["height"][row]),
        "reason": word(int(rungs["reason"][row])),
        "estimate_kbps": round(float(rungs["estimate_bps"][row]) / 1000),
    }

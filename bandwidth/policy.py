"""The simple rule: climb while nothing is wrong, step down on loss, on a standing queue or on a low estimate.

Start at the base layers; a clean link is climbed rung by rung within two seconds. A step up that fails doubles the
quiet time that the next one needs. Time is an argument; nothing here waits or reads a clock.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bandwidth import ladder
from bandwidth.columns import CHOICE, ESTIMATE, I8, LOSS, NO_SOURCE, OK, Decision, Demand, Feedback
from bandwidth.ladder import Ladder
from bandwidth.state import State

# Above this fraction lost a transport steps down; below the other it may climb.
LOSS_DOWN = 0.10
LOSS_CLEAN = 0.02
# Two steps at once above this.
LOSS_HEAVY = 0.30
# A step down has to show its effect in the reports before the next.
STEP_DOWN_US = 1_000_000
# A queue that stood this long is the link's; a shorter one may be a busy computer's, and costs no picture altogether.
LONG_QUEUE_US = 2_000_000
# Pace of climbing on a link that was never in trouble.
CLIMB_US = 500_000
# Quiet time after trouble, doubled by each step up that failed.
PATIENCE_US = 4_000_000
PATIENCE_MAX_US = 60_000_000
# Trouble this soon after a step up is that step's fault.
BLAME_US = 5_000_000
# An estimate below this share of what is sent is too low …
REMB_LOW = 0.85
# … and above this multiple of it leaves room to try more: estimates follow what is sent, they do not run ahead.
REMB_ROOM = 1.2
# A player that never reports gets the middle layer at most: nobody would know that its link is full.
SILENT_SPATIAL = 1


class SimplePolicy:
    """State of all transports and the rule over them."""

    def __init__(self) -> None:
        self._state = State.fresh(np.zeros(0, dtype=np.uint32), 0)
        self._last_us: int | None = None

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """One decision for all legs of `demand`; call it about ten times a second."""
        transports = np.unique(demand.transport)
        state = self._state = self._state.aligned(transports, now_us)
        state.take(feedback, 0 if self._last_us is None else now_us - self._last_us)
        self._last_us = now_us
        rungs = ladder.build(_without_silent_tops(demand, state), transports)
        _begin(state, demand)
        _obey_choices(state, rungs, demand, now_us)
        _step_down(state, rungs, demand, now_us)
        _step_up(state, rungs, demand, now_us)
        spatial = ladder.choose(rungs, state.level, demand.subscription.size)
        return Decision(
            subscription=demand.subscription,
            spatial=spatial,
            temporal=np.full_like(spatial, -1),
            reason=_reasons(state, demand, spatial),
            transport=np.zeros(0, dtype=np.uint32),
            pacing_bps=np.zeros(0, dtype=np.uint64),
            probe_bps=np.zeros(0, dtype=np.uint64),
            probe_us=np.zeros(0, dtype=np.uint32),
            redundancy=np.zeros(0, dtype=np.uint16),
            repair_bps=np.zeros(0, dtype=np.uint64),
        )


def _without_silent_tops(demand: Demand, state: State) -> Demand:
    silent = ~state.heard[np.searchsorted(state.transport, demand.transport)] & (demand.chosen_us < 0)
    base = np.argmax(demand.rates_bps > 0, axis=1)
    cap = np.where(silent, np.minimum(demand.cap, np.maximum(base, SILENT_SPATIAL)), demand.cap)
    return replace(demand, cap=cap.astype(np.int8))


def _begin(state: State, demand: Demand) -> None:
    """New transports start with the base layer of each leg."""
    legs = np.bincount(np.searchsorted(state.transport, demand.transport), minlength=state.transport.size)
    state.level = np.where(state.level < 0, legs, state.level)


def _obey_choices(state: State, rungs: Ladder, demand: Demand, now_us: int) -> None:
    """A fixed choice is taken at once; whether the link bears it is seen afterwards."""
    newest = np.full(state.transport.size, -1, dtype=np.int64)
    np.maximum.at(newest, np.searchsorted(state.transport, demand.transport), demand.chosen_us)
    new = newest > state.choice_us
    state.level = np.where(new, np.maximum(state.level, rungs.chosen), state.level)
    state.stepped_us = np.where(new, now_us, state.stepped_us)
    state.choice_us = np.maximum(state.choice_us, newest)


def _step_down(state: State, rungs: Ladder, demand: Demand, now_us: int) -> None:
    loss = state.loss()
    low = (state.remb_bps > 0) & (state.remb_bps < REMB_LOW * ladder.cost_bps(rungs, demand, state.level))
    lossy = loss > LOSS_DOWN
    queued = state.queued()
    state.flowing_us = np.where(queued, state.flowing_us, now_us)
    trouble = lossy | low | queued
    floor = np.where(lossy | low | (now_us - state.flowing_us >= LONG_QUEUE_US), 0, rungs.base)
    state.quiet_since_us = np.where(trouble | (loss > LOSS_CLEAN), now_us, state.quiet_since_us)
    down = trouble & (now_us - state.stepped_us >= STEP_DOWN_US) & (state.level > floor) & (rungs.height > 0)
    tried = now_us - state.raised_us < BLAME_US
    # The level before a step up that fails was good: one step back is enough.
    lower = np.minimum(state.level, rungs.height) - np.where((loss > LOSS_HEAVY) & ~tried, 2, 1)
    state.level = np.where(down, np.maximum(lower, floor), state.level)
    patience = np.where(
        tried & (state.patience_us > 0), np.minimum(2 * state.patience_us, PATIENCE_MAX_US), PATIENCE_US
    )
    state.patience_us = np.where(down, patience, state.patience_us)
    state.stepped_us = np.where(down, now_us, state.stepped_us)
    state.reason = np.where(down, np.where(lossy, LOSS, ESTIMATE), state.reason).astype(np.int8)
    # What was lost above the new level says nothing about it.
    state.lost = np.where(down, 0.0, state.lost)
    state.expected = np.where(down, 0.0, state.expected)


def _step_up(state: State, rungs: Ladder, demand: Demand, now_us: int) -> None:
    need = np.maximum(state.patience_us, CLIMB_US)
    ready = (now_us - state.quiet_since_us >= need) & (now_us - state.stepped_us >= need)
    current = ladder.cost_bps(rungs, demand, state.level)
    following = ladder.cost_bps(rungs, demand, state.level + 1)
    room = (state.remb_bps == 0) | (state.remb_bps >= np.minimum(following, REMB_ROOM * current))
    up = ready & room & (state.level < rungs.height)
    state.level = np.where(up, state.level + 1, state.level)
    state.stepped_us = np.where(up, now_us, state.stepped_us)
    state.raised_us = np.where(up, now_us, state.raised_us)
    # At the top and quiet for long: what was wrong is over.
    calm = (state.level >= rungs.height) & (now_us - state.quiet_since_us > PATIENCE_MAX_US)
    state.patience_us = np.where(calm, 0, state.patience_us)


def _reasons(state: State, demand: Demand, spatial: I8) -> I8:
    layers = np.arange(demand.rates_bps.shape[1])
    best = np.where(demand.rates_bps > 0, layers[None, :], -1).max(axis=1, initial=-1)
    wanted = np.minimum(best, demand.cap)
    held = state.reason[np.searchsorted(state.transport, demand.transport)]
    reason = np.where(spatial < wanted, held, np.where(wanted < best, CHOICE, OK))
    return np.where(best < 0, NO_SOURCE, reason).astype(np.int8)

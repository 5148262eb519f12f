"""One decision for all receivers: feedback in, layers and rates out. No clock, no I/O; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth import allocator, arrivals, delay, ladder, loss, probe, rate_control, reports, rows, sound, stills
from bandwidth.columns import (
    CHOICE,
    I8,
    I64,
    LINK_LOSSY,
    LINK_OUT,
    LINK_SLOW,
    NO_SOURCE,
    NORMAL_RATE,
    OK,
    U32,
    Bools,
    Decision,
    Demand,
    Feedback,
    Floats,
    Indices,
)
from bandwidth.config import Config
from bandwidth.heard import FOREVER_US, Heard, lay_out
from bandwidth.ladder import SOUNDING, Ladder


@dataclass
class State:
    """All that is remembered, one row a transport, sorted by handle."""

    transport: U32
    since_us: I64  # first packet to it; FOREVER: none left yet
    timed: Bools  # arrival times were told
    choice_us: I64  # newest fixed choice
    drained_us: I64  # when less than the estimate was sent to drain a queue, last
    delay: delay.Delay
    loss: loss.Loss
    flow: arrivals.Arrivals
    rate: rate_control.Rate
    reports: reports.Reports
    probe: probe.Probe
    sound: sound.Sound
    stills: stills.Stills
    allocation: allocator.Allocation


class AdaptivePolicy:
    """The adaptive-bitrate control; `config` is one for every link."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config if config is not None else Config()
        self._state = self._fresh(np.zeros(0, dtype=np.uint32), 0)
        self._last_us: int | None = None

    def decide(self, now_us: int, feedback: Feedback, demand: Demand) -> Decision:
        """One decision for all legs of `demand`; call it about ten times a second."""
        config = self.config
        transports = np.union1d(feedback.transport, demand.transport).astype(np.uint32)
        state = self._align(transports, now_us)
        span_us = now_us - self._last_us if self._last_us is not None else 0
        self._last_us = now_us
        heard = reports.calmed(state.reports, lay_out(feedback, transports, state.timed, now_us))
        state.timed = state.timed | heard.twcc
        state.since_us = np.where(heard.sent_bits > 0, np.minimum(state.since_us, now_us), state.since_us)
        leg_rows = np.searchsorted(transports, demand.transport)
        start_bps = np.zeros(transports.size)
        np.maximum.at(start_bps, leg_rows, demand.start_bps.astype(np.float64))
        rate_control.begin(state.rate, start_bps, config)
        self._listen(state, heard, now_us, span_us)
        mute = ~heard.reports & (now_us - state.since_us > config.silent_us)
        stills.update(state.stills, heard, state.loss.random, now_us, config)
        steps = self._ladder(state, demand, leg_rows, mute)
        quick = self._choices(state, demand, leg_rows, now_us)
        taken, probe_bps, probe_us = self._allocate(state, heard, steps, mute, quick, now_us, span_us)
        return self._decision(state, heard, demand, steps, mute, taken, probe_bps, probe_us)

    def size_bytes(self) -> int:
        """What is remembered of all receivers."""
        parts = [part for part in vars(self._state).values() if not isinstance(part, np.ndarray)]
        columns = [column for part in parts for column in vars(part).values() if isinstance(column, np.ndarray)]
        return sum(column.nbytes for column in columns)

    def _fresh(self, transports: U32, now_us: int) -> State:
        count, config = transports.size, self.config
        return State(
            transport=transports,
            since_us=np.full(count, FOREVER_US, dtype=np.int64),
            timed=np.zeros(count, dtype=np.bool_),
            choice_us=np.full(count, -1, dtype=np.int64),
            drained_us=np.full(count, -FOREVER_US, dtype=np.int64),
            delay=delay.fresh(count, config),
            loss=loss.fresh(count),
            flow=arrivals.fresh(count, config),
            rate=rate_control.fresh(count, now_us),
            reports=reports.fresh(count),
            probe=probe.fresh(count, config),
            sound=sound.fresh(count),
            stills=stills.fresh(count),
            allocation=allocator.fresh(count),
        )

    def _align(self, transports: U32, now_us: int) -> State:
        """Rows of exactly these transports, new ones fresh."""
        old = self._state
        if not np.array_equal(transports, old.transport):
            new = self._fresh(transports, now_us)
            mine, theirs = rows.shared(old.transport, transports)
            for name, part in vars(new).items():
                if name == "transport":
                    continue
                if isinstance(part, np.ndarray):
                    part[mine] = getattr(old, name)[theirs]
                else:
                    rows.carried(getattr(old, name), part, mine, theirs)
            self._state = new
        return self._state

    def _listen(self, state: State, heard: Heard, now_us: int, span_us: int) -> None:
        """Estimators, in the order in which they need each other."""
        config = self.config
        queue_before = state.delay.queue_ms
        delay.update(state.delay, heard, now_us, config)
        queued = np.maximum(queue_before, state.delay.queue_ms) > state.rate.low_ms
        loss.update(state.loss, heard, queued, state.rate.out, span_us, config)
        # Stills have no transport-wide numbers, but fill the link as well.
        bits = rate_control.acked_bits(state.rate, heard) + heard.still_acked_bits
        arrivals.update(state.flow, heard.arrival_ms, bits, config)
        reports.steer(state.reports, state.rate, heard, state.delay, state.loss, state.flow, now_us, config)
        rate_control.update(state.rate, heard, state.delay, state.loss, state.flow, now_us, span_us, config)
        probe.judge(state.probe, state.rate, heard, state.loss, now_us, config)
        # Copies do not help against a queue that overflows.
        lossy = np.where(state.loss.excess, state.loss.random, state.loss.ratio)
        sound.update(state.sound, lossy, now_us, config)

    def _ladder(self, state: State, demand: Demand, leg_rows: Indices, mute: Bools) -> Ladder:
        config = self.config
        sounds = SOUNDING[demand.role]
        lowest = np.argmax(demand.rates_bps[:, :, -1] > 0, axis=1).astype(np.int8)
        # A player that never reports may have a full link, and nobody would know.
        silent = mute[leg_rows] & (demand.chosen_us < 0) & ~sounds
        held = np.minimum(demand.cap, np.maximum(lowest, config.silent_spatial))
        caps = np.where(silent, held, demand.cap).astype(np.int8)
        count, random = state.transport.size, state.loss.random
        voice = _voice(state, demand, leg_rows, lowest, mute, config)
        return ladder.build(demand, leg_rows, count, caps, voice.copies, random, state.stills.need_bps, config)

    def _choices(self, state: State, demand: Demand, leg_rows: Indices, now_us: int) -> Bools:
        """Rows that climb without waiting: a classroom just chose, just came, or is just back."""
        newest = np.full(state.transport.size, -1, dtype=np.int64)
        np.maximum.at(newest, leg_rows, demand.chosen_us)
        state.choice_us = np.maximum(state.choice_us, newest)
        config = self.config
        chose = (state.choice_us >= 0) & (now_us - state.choice_us < config.start_us)
        came = (now_us - state.since_us < config.start_us) & (state.rate.trouble_us == -FOREVER_US)
        back = now_us - state.rate.resumed_us < config.outage_wait_us
        return np.asarray(chose | came | back, dtype=np.bool_)

    def _allocate(
        self, state: State, heard: Heard, steps: Ladder, mute: Bools, quick: Bools, now_us: int, span_us: int
    ) -> tuple[Bools, Floats, Floats]:
        config, rate = self.config, state.rate
        budget = np.where(mute, np.inf, rate.target_bps)
        # The core sends no pictures into a silence; only one that lasts is a reason to stop them.
        gone = rate.out & (now_us - rate.out_since_us > config.outage_pause_us)
        budget = np.where(gone, 0.0, budget)
        queue_ms = state.delay.queue_ms
        state.drained_us = np.where(rate.target_bps < rate.estimate_bps, now_us, state.drained_us)
        # While the queue is short, what is there is not given up for an estimate that wavers.
        short = ((queue_ms < rate.high_ms) | rate.out) & ~gone
        room = allocator.Room(
            budget_bps=budget,
            enough_bps=np.where(short, np.maximum(budget, config.stay_margin * rate.estimate_bps), budget),
            # What a probe did to the queue is not known before its reports are here.
            calm=(rate.competing | (queue_ms < rate.low_ms)) & ((state.probe.asked_us == -FOREVER_US) | ~heard.twcc),
            quick=quick,
            eased=now_us - np.maximum(state.drained_us, state.stills.waited_us) < config.drained_us,
            jammed=queue_ms > config.spatial_down_queue_ms,
            gone=gone | (state.stills.need_bps > 0),
        )
        taken = allocator.update(state.allocation, steps, room, now_us, span_us, config)
        need, top = allocator.next_need_bps(steps, taken, rate.estimate_bps, config)
        chose = (state.choice_us >= 0) & (now_us - state.choice_us < config.probe_next_us)
        probe_bps, probe_us = probe.ask(
            state.probe, rate, heard, state.delay, state.flow, need, top, chose, now_us, span_us, config
        )
        # What is held although it does not fit is tried, too.
        held = ladder.cost_bps(steps, taken)
        need = np.where(np.isinf(need) & (held > rate.estimate_bps), held, need)
        probe.try_out(state.probe, rate, heard, need, top, state.reports.cap_bps, now_us, config)
        return taken, probe_bps, probe_us

    def _decision(
        self,
        state: State,
        heard: Heard,
        demand: Demand,
        steps: Ladder,
        mute: Bools,
        taken: Bools,
        probe_bps: Floats,
        probe_us: Floats,
    ) -> Decision:
        config, rate = self.config, state.rate
        spatial, temporal = ladder.layers(steps, taken, demand)
        gain = np.where(state.delay.queue_ms < rate.low_ms, config.pacing_gain, 1.0)
        # Sound does not wait for credit, but takes it: less than sound would starve all others for ever.
        floor = config.pacing_sound_gain * ladder.first_sounds_bps(steps) + config.pacing_least_bps
        pacing = np.where(mute, 0.0, np.maximum(rate.target_bps * gain, floor))
        share = np.maximum(config.repair_least, config.repair_gain * state.loss.random)
        low_rate = np.zeros(state.transport.size, dtype=np.bool_)
        sounds = SOUNDING[demand.role]
        low_rate[steps.row[sounds & (spatial < NORMAL_RATE)]] = True
        voice = _voice(state, demand, steps.row, spatial, mute, config)
        return Decision(
            subscription=demand.subscription,
            spatial=spatial,
            temporal=temporal,
            reason=_reasons(state, demand, steps, spatial, temporal, config),
            transport=state.transport,
            pacing_bps=pacing.astype(np.uint64),
            probe_bps=probe_bps.astype(np.uint64),
            probe_us=probe_us.astype(np.uint32),
            redundancy=sound.mask(
                voice.copies, state.loss.burst, voice.listening, low_rate, voice.repaired, voice.hertz, config
            ),
            repair_bps=(share * rate.estimate_bps).astype(np.uint64),
            estimate_bps=np.where(heard.reports, rate.estimate_bps, 0.0).astype(np.uint64),
        )


@dataclass(frozen=True)
class _Voice:
    """How the sound of each row goes out."""

    copies: I64
    listening: Bools
    repaired: Bools
    hertz: Floats


def _voice(state: State, demand: Demand, leg_rows: Indices, spatial: I8, mute: Bools, config: Config) -> _Voice:
    """The copies that loss asks for and the link bears beside the sound of these layers, one layer a leg."""
    count = state.transport.size
    alone_bps, copy_bps, hertz = _sound_cost(leg_rows, demand, SOUNDING[demand.role], spatial, count, config)
    listening = _listening(demand, leg_rows, count)
    repaired = _repaired(state, listening, config)
    many = sound.wanted(state.sound, repaired)
    copies = sound.fitting(many, alone_bps, copy_bps, *_sound_rooms(state, listening, mute, config))
    return _Voice(copies, listening, repaired, hertz)


def _sound_rooms(state: State, listening: Bools, mute: Bools, config: Config) -> tuple[Floats, Floats]:
    """Bit/s that sound may take with its copies, and with the first one: a page that is missing comes before the
    second copy, and where it would come too late before the first: a deep play-out buffer waits for repairs."""
    estimate, pages = state.rate.estimate_bps, state.stills
    room = np.minimum(config.sound_share * estimate, state.rate.target_bps - pages.need_bps)
    first = np.where(listening & (pages.must_bps > 0), estimate - pages.must_bps, np.inf)
    return np.where(mute, np.inf, room), np.where(mute, np.inf, first)


def _listening(demand: Demand, leg_rows: Indices, count: int) -> Bools:
    """Rows of which every leg's classroom only listens."""
    return np.asarray(np.bincount(leg_rows, ~demand.listening, count) == 0, dtype=np.bool_)


def _repaired(state: State, listening: Bools, config: Config) -> Bools:
    """Rows whose play-out buffer waits long enough for a repair, and for a second one."""
    return np.asarray(listening & (state.rate.rtt_us <= config.copy_rtt_us), dtype=np.bool_)


def _sound_cost(
    row: Indices, demand: Demand, sounds: Bools, spatial: I8, count: int, config: Config
) -> tuple[Floats, Floats, Floats]:
    """Bit/s of each row's sound without copies, and of one copy of all of it; packets a second of one sound."""
    legs = np.flatnonzero(sounds)
    layer = np.maximum(spatial[legs], 0)
    payload = demand.rates_bps[legs, layer, -1].astype(np.float64)
    pace = 8 * demand.packets_hz[legs, layer]
    alone: Floats = np.bincount(row[legs], payload + pace * config.header_bytes, count).astype(np.float64)
    copy: Floats = np.bincount(row[legs], payload + pace * config.copy_bytes, count).astype(np.float64)
    hertz = np.zeros(count)
    np.maximum.at(hertz, row[legs], pace / 8)
    return alone, copy, hertz


def _reasons(state: State, demand: Demand, steps: Ladder, spatial: I8, temporal: I8, config: Config) -> I8:
    """What keeps each leg from more."""
    layers = np.arange(demand.rates_bps.shape[1])
    best = np.where(demand.rates_bps[:, :, -1] > 0, layers[None, :], -1).max(axis=1, initial=-1)
    wanted = np.minimum(best, demand.cap)
    lossy = state.loss.random[steps.row] > config.lossy
    link = np.where(state.rate.out[steps.row], LINK_OUT, np.where(lossy, LINK_LOSSY, LINK_SLOW))
    held = (spatial < wanted) | (temporal >= 0)
    reason = np.where(held, link, np.where(wanted < best, CHOICE, OK))
    return np.where(best < 0, NO_SOURCE, reason).astype(np.int8)

"""Probes with a purpose: the cost of the next step of the ladder is tried with padding, shortly, and not too often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.arrivals import Arrivals
from bandwidth.columns import I64, PROBE_ABORTED, PROBE_DONE, PROBE_RUNS, Bools, Floats
from bandwidth.config import Config
from bandwidth.delay import OVER, Delay
from bandwidth.heard import FOREVER_US, Heard
from bandwidth.loss import Loss
from bandwidth.rate_control import Rate


@dataclass
class Probe:
    """State of all receivers."""

    asked_us: I64  # when the running probe was asked for; -FOREVER: none runs
    asked_bps: Floats
    due_us: I64  # the next one not before
    wait_us: Floats  # of the next failure
    failed_bps: Floats  # what the last failed trial of a step would have cost
    good: Bools  # the last one succeeded or showed much more than was believed, or none was made yet
    ring_bits: Floats  # padding that the probes cost, fading
    sent_bits: Floats  # all that was sent, fading alike


def fresh(count: int, config: Config) -> Probe:
    """Rows that probed nothing yet."""
    return Probe(
        asked_us=np.full(count, -FOREVER_US, dtype=np.int64),
        asked_bps=np.zeros(count),
        due_us=np.zeros(count, dtype=np.int64),
        wait_us=np.full(count, float(config.probe_wait_us)),
        failed_bps=np.full(count, np.inf),
        good=np.ones(count, dtype=np.bool_),
        ring_bits=np.zeros(count),
        sent_bits=np.zeros(count),
    )


def judge(probe: Probe, rate: Rate, heard: Heard, loss: Loss, now_us: int, config: Config) -> None:
    """Take in the probes that ended: what arrived is what the link carries, a full success the rate asked for."""
    asked = (probe.asked_us > -FOREVER_US) & heard.twcc
    ended = asked & ((heard.probe_state == PROBE_DONE) | (heard.probe_state == PROBE_ABORTED))
    lost_sight = asked & ~ended & (now_us - probe.asked_us > config.probe_verdict_us)
    arrived = heard.probe_acked_bps / (1 - loss.random)
    sent = np.where(heard.probe_sent_bps > 0, heard.probe_sent_bps, probe.asked_bps)
    whole = (heard.probe_state == PROBE_DONE) & (arrived >= config.probe_good * sent)
    good = ended & whole & (arrived > 0)
    bad = (ended & ~good) | lost_sight
    carried = np.where(good, np.minimum(sent, np.maximum(arrived, sent * 0.95)), config.sampled_share * arrived)
    raised = ended & (carried > rate.estimate_bps) & ~rate.out
    # Where nothing was ever wrong, or more was shown than was believed, it is worth another try soon.
    more = raised & (carried > config.probe_more * rate.estimate_bps)
    partly = bad & (more | (rate.trouble_us == -FOREVER_US))
    rate.raised_from_bps = np.where(raised & good, rate.estimate_bps, rate.raised_from_bps)
    rate.raised_us = np.where(raised & good, now_us, rate.raised_us)
    rate.estimate_bps = np.where(raised, carried, rate.estimate_bps)
    probe.asked_us = np.where(ended | lost_sight, -FOREVER_US, probe.asked_us)
    probe.good = np.where(good | more, True, np.where(bad, False, probe.good))
    waited = np.where(partly, config.probe_more_us, np.minimum(probe.wait_us, float(config.probe_wait_most_us)))
    probe.due_us = np.where(good, now_us + config.probe_next_us, np.where(bad, now_us + waited, probe.due_us)).astype(
        np.int64
    )
    longer = np.minimum(probe.wait_us * config.probe_backoff, float(config.probe_wait_most_us))
    probe.wait_us = np.where(good | partly, float(config.probe_wait_us), np.where(bad, longer, probe.wait_us))


def ask(
    probe: Probe,
    rate: Rate,
    heard: Heard,
    delay: Delay,
    flow: Arrivals,
    need_bps: Floats,
    top_bps: Floats,
    hurry: Bools,
    now_us: int,
    span_us: int,
    config: Config,
) -> tuple[Floats, Floats]:
    """Rate and length of the probes that start now (0: none). `need_bps` is the cost of the next step that the estimate
    does not carry (inf: none), `top_bps` that of the last; `hurry` rows (a new choice) do not wait their turn."""
    nothing = np.zeros(need_bps.size)
    fade = np.exp(-span_us / 60e6)
    probe.sent_bits = probe.sent_bits * fade + heard.sent_bits
    probe.ring_bits *= fade
    if not config.purposeful_probes:
        return nothing, nothing.copy()
    idle = (probe.asked_us == -FOREVER_US) & (heard.probe_state != PROBE_RUNS)
    able = idle & heard.twcc & heard.news & ~rate.out & (delay.signal != OVER)
    able &= (delay.queue_ms < rate.low_ms) & (now_us - rate.resumed_us >= config.outage_wait_us)
    able &= (now_us - rate.calm_since_us >= config.probe_next_us) & np.isfinite(need_bps)
    able &= (now_us >= probe.due_us) | hurry
    factor = np.where(rate.trouble_us == -FOREVER_US, config.probe_start_factor, config.probe_factor)
    bold = np.where(probe.good, np.minimum(top_bps, factor * rate.estimate_bps), 0.0)
    # After a fall the way back is known: most of what the link carried before.
    wanted = np.maximum(np.where(able, need_bps, 0.0), bold) * config.probe_margin
    wanted = np.minimum(wanted, np.maximum(factor, 1.0) * rate.estimate_bps * 1.5)
    excess = np.maximum(wanted - rate.estimate_bps, 1.0)
    length = config.probe_queue_ms * 1000 * rate.estimate_bps / excess
    length = np.clip(length, config.probe_least_us, config.probe_most_us)
    bits = np.maximum(wanted - np.fmax(flow.long_bps, 0.0), excess) * length / 1e6
    # A link that was never full so far will send enough to pay for its probes; what was spent on it then must not leave
    # a classroom without a picture once the link has fallen. Whoever waited long is tried whatever it costs.
    free = probe.good & (rate.trouble_us == -FOREVER_US)
    worth = free | (probe.ring_bits + bits <= config.probe_share * (probe.sent_bits + 0.3e6))
    worth |= now_us - probe.due_us > config.probe_overdue_us
    start = able & worth
    charge = np.where(free, np.minimum(bits, config.probe_free_bits), bits)
    probe.ring_bits = np.where(start, probe.ring_bits + charge, probe.ring_bits)
    probe.asked_us = np.where(start, now_us, probe.asked_us)
    probe.asked_bps = np.where(start, wanted, probe.asked_bps)
    return np.where(start, wanted, 0.0), np.where(start, length, 0.0)


def try_out(
    probe: Probe,
    rate: Rate,
    heard: Heard,
    need_bps: Floats,
    top_bps: Floats,
    cap_bps: Floats,
    now_us: int,
    config: Config,
) -> None:
    """Receivers whose feedback shows no probe get the next step itself on trial, until trouble follows.

    A step that failed is tried again later and later; cheaper ones need not wait for it. Nothing above `cap_bps` is
    tried.
    """
    shown = heard.reports & ~heard.twcc
    tried = probe.asked_us > -FOREVER_US
    # Trouble takes a while to show: the last trial is to blame also after the next could have begun.
    fails = shown & (rate.trouble_us > rate.raised_us) & (now_us - rate.raised_us < config.trial_us)
    bold = np.isinf(probe.failed_bps)
    long = np.where(bold, config.trial_first_us, config.trial_us)
    passes = shown & tried & ~fails & heard.news & (now_us - probe.asked_us > long)
    again = fails & (probe.asked_bps >= 0.9 * probe.failed_bps)
    longer = np.minimum(probe.wait_us * config.trial_backoff, float(config.trial_wait_most_us))
    probe.wait_us = np.where(again, longer, np.where(fails, float(config.probe_wait_us), probe.wait_us))
    probe.failed_bps = np.where(fails, probe.asked_bps, probe.failed_bps)
    probe.failed_bps = np.where(passes & (probe.asked_bps > probe.failed_bps), np.inf, probe.failed_bps)
    probe.due_us = np.where(fails, now_us + probe.wait_us, probe.due_us).astype(np.int64)
    rate.estimate_bps = np.where(fails, np.minimum(rate.estimate_bps, rate.raised_from_bps), rate.estimate_bps)
    rate.raised_us = np.where(fails, -FOREVER_US, rate.raised_us)
    probe.asked_us = np.where(fails | passes, -FOREVER_US, probe.asked_us)
    due = (now_us >= probe.due_us) | (need_bps < 0.9 * probe.failed_bps)
    start = shown & (probe.asked_us == -FOREVER_US) & due & (need_bps <= cap_bps) & np.isfinite(need_bps) & ~rate.out
    start &= now_us - rate.calm_since_us > long / 2
    far = np.where(bold, np.minimum(top_bps, config.probe_start_factor * rate.estimate_bps), 0.0)
    tried_bps = np.maximum(np.where(start, need_bps, 0.0), far)
    wanted = np.where(start, config.probe_margin * tried_bps, 0.0)
    rate.raised_from_bps = np.where(start, rate.estimate_bps, rate.raised_from_bps)
    rate.raised_us = np.where(start, now_us, rate.raised_us)
    rate.estimate_bps = np.maximum(rate.estimate_bps, wanted)
    probe.asked_us = np.where(start, now_us, probe.asked_us)
    probe.asked_bps = np.where(start, tried_bps, probe.asked_bps)

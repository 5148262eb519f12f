"""What each link is believed to carry: AIMD on delay and loss, with rules for silence, for stalls and for other flows.

`estimate_bps` is what may be sent, on the wire, headers, repairs and redundancy included; `target_bps` is less while a
queue is drained. Growth by more than a little is the business of `probe.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth import arrivals
from bandwidth.arrivals import Arrivals
from bandwidth.columns import I64, Bools, Floats
from bandwidth.config import Config
from bandwidth.delay import OVER, UNDER, Delay
from bandwidth.heard import FOREVER_US, Heard
from bandwidth.loss import Loss


@dataclass
class Rate:
    """State of all receivers."""

    estimate_bps: Floats  # NaN: new
    target_bps: Floats
    rtt_us: Floats
    sent_bps: Floats  # over about as long as what arrives is looked at
    low_ms: Floats  # no queue stands below this …
    high_ms: Floats  # … and one that counts above this
    unheard_bits: Floats  # sent since a receiver without transport-wide feedback reported last
    high_ticks: I64  # in a row with a high queue
    calm_since_us: I64  # since when nothing was wrong
    trouble_us: I64  # when something was wrong, last
    cut_us: I64  # last decrease
    before_bps: Floats  # estimate when the present trouble began
    raised_us: I64  # when more was sent than before, last
    raised_from_bps: Floats
    heard_us: I64  # last report
    interval_us: Floats  # between two reports
    out: Bools  # nothing is heard of what was sent
    out_since_us: I64
    resumed_us: I64  # when an outage ended
    high_since_us: I64  # since when the queue is high, FOREVER: it is not
    onset_bps: Floats  # what arrived when it became so
    halved_us: I64  # since when less than half of that is sent
    competing: Bools
    competing_us: I64  # since when; or until when it may not be tried again
    low_since_us: I64  # in competing mode: since when the queue is low


def fresh(count: int, now_us: int) -> Rate:
    """Rows that heard nothing yet."""

    def whole(value: int) -> I64:
        return np.full(count, value, dtype=np.int64)

    def flags() -> Bools:
        return np.zeros(count, dtype=np.bool_)

    return Rate(
        estimate_bps=np.full(count, np.nan),
        target_bps=np.zeros(count),
        sent_bps=np.zeros(count),
        rtt_us=np.full(count, 100_000.0),
        low_ms=np.full(count, 25.0),
        high_ms=np.full(count, 80.0),
        unheard_bits=np.zeros(count),
        high_ticks=whole(0),
        calm_since_us=whole(now_us),
        trouble_us=whole(-FOREVER_US),
        cut_us=whole(-FOREVER_US),
        before_bps=np.zeros(count),
        raised_us=whole(-FOREVER_US),
        raised_from_bps=np.zeros(count),
        heard_us=whole(-FOREVER_US),
        interval_us=np.full(count, 100_000.0),
        out=flags(),
        out_since_us=whole(0),
        resumed_us=whole(-FOREVER_US),
        high_since_us=whole(FOREVER_US),
        onset_bps=np.zeros(count),
        halved_us=whole(FOREVER_US),
        competing=flags(),
        competing_us=whole(0),
        low_since_us=whole(FOREVER_US),
    )


def begin(rate: Rate, start_bps: Floats, config: Config) -> None:
    """New rows start at the share of what their link is remembered to carry, or at sound and the lowest layer."""
    new = np.isnan(rate.estimate_bps)
    start = np.maximum(start_bps * config.start_share, config.start_bps)
    rate.estimate_bps = np.where(new, start, rate.estimate_bps)
    rate.raised_from_bps = np.where(new, config.start_bps, rate.raised_from_bps)


def acked_bits(rate: Rate, heard: Heard) -> Floats:
    """What arrived since the last tick; of receivers with receiver reports alone, what was sent and not lost."""
    rate.unheard_bits += heard.sent_bits
    share = 1 - heard.lost / np.maximum(heard.expected, 1.0)
    told = heard.news & ~heard.twcc
    bits = np.where(heard.twcc, heard.acked_bits, np.where(told, rate.unheard_bits * share, 0.0))
    rate.unheard_bits = np.where(heard.news, 0.0, rate.unheard_bits)
    return bits


def update(
    rate: Rate, heard: Heard, delay: Delay, loss: Loss, flow: Arrivals, now_us: int, span_us: int, config: Config
) -> None:
    """One tick for all rows."""
    rate.rtt_us = np.where(heard.rtt_us >= 0, 0.8 * rate.rtt_us + 0.2 * heard.rtt_us, rate.rtt_us)
    since_us = np.clip(now_us - rate.heard_us, span_us, 1_000_000)
    keep = np.exp(-span_us / (1000 * config.acked_long_ms))
    rate.sent_bps = keep * rate.sent_bps + (1 - keep) * heard.sent_bits * 1e6 / max(span_us, 1)
    if config.outage_rule:
        _watch_silence(rate, heard, flow, now_us, config)
    link_short, link_long = _link_rates(loss, flow)
    _thresholds(rate, config)
    over = _overused(rate, heard, delay, loss, now_us, config)
    if config.competing_mode:
        _watch_rivals(rate, heard, delay, flow, loss, now_us, config)
        over &= ~rate.competing | loss.excess & (loss.ratio > config.compete_loss)
    _decrease(rate, over & ~rate.out, link_short, link_long, delay, now_us, config)
    _increase(rate, heard, over, link_short, link_long, delay, now_us, since_us, config)
    _blame(rate, delay, loss, now_us, config)
    rate.estimate_bps = np.clip(rate.estimate_bps, config.protected_bps, config.most_bps)
    rate.target_bps = _target(rate, heard, delay, link_short, config)


def _thresholds(rate: Rate, config: Config) -> None:
    """What counts as a queue: on a slow link one packet alone takes long, and on a long way reports are old."""
    by_packet = config.queue_packet_ms + config.queue_low_bits * 1000 / rate.estimate_bps
    rate.low_ms = np.maximum(config.queue_low_ms, by_packet)
    by_rtt = config.queue_rtt_share * rate.rtt_us / 1000
    by_packet = config.queue_packet_bits * 1000 / rate.estimate_bps
    rate.high_ms = np.maximum(config.queue_high_ms, np.maximum(by_rtt, by_packet))


def _link_rates(loss: Loss, flow: Arrivals) -> tuple[Floats, Floats]:
    """What the link took from us: what arrived, and the share that it loses by itself."""
    share = 1 - loss.random
    return flow.short_bps / share, flow.long_bps / share


def _watch_silence(rate: Rate, heard: Heard, flow: Arrivals, now_us: int, config: Config) -> None:
    """Silence with packets on their way is an outage; the first feedback after it resumes at half the rate."""
    interval = np.where(heard.news, now_us - rate.heard_us, 0)
    known = heard.news & (rate.heard_us > -FOREVER_US) & ~rate.out
    rate.interval_us = np.where(known, 0.9 * rate.interval_us + 0.1 * interval, rate.interval_us)
    patience = np.maximum(config.outage_us, rate.rtt_us + config.outage_feedbacks * rate.interval_us)
    silent = heard.twcc & (heard.age_us > patience) & (heard.in_flight_bits > 0)
    starts = silent & ~rate.out
    ends = rate.out & heard.news
    rate.before_bps = np.where(starts, rate.estimate_bps, rate.before_bps)
    rate.out_since_us = np.where(starts, now_us, rate.out_since_us)
    rate.out = (rate.out | starts) & ~ends
    # Reports of a link that works can be lost: after a short silence most of it is believed to be there.
    short = now_us - rate.heard_us < config.outage_short_us
    share = np.where(short, config.outage_short_share, config.outage_share)
    halved = np.minimum(rate.estimate_bps, share * rate.before_bps)
    rate.estimate_bps = np.where(ends, halved, rate.estimate_bps)
    rate.resumed_us = np.where(ends, now_us, rate.resumed_us)
    rate.heard_us = np.where(heard.news, now_us, rate.heard_us)
    arrivals.forget(flow, ends & ~short)


def _overused(rate: Rate, heard: Heard, delay: Delay, loss: Loss, now_us: int, config: Config) -> Bools:
    """Whether more is sent than the link takes."""
    queue = delay.queue_ms
    rising = queue > delay.queue_before_ms
    high = heard.news & (queue > rate.high_ms)
    rate.high_ticks = np.where(heard.news, np.where(high, rate.high_ticks + 1, 0), rate.high_ticks)
    over = heard.news & (delay.signal == OVER) & (queue > rate.low_ms)
    if config.queue_rule:
        jumped = queue > delay.queue_before_ms + config.queue_jump_ms
        over |= high & rising & ((rate.high_ticks >= 2) | jumped)
        over |= high & (rate.high_ticks >= 4)
    if config.loss_split:
        over |= heard.news & loss.excess & (queue > rate.low_ms)
        over |= heard.news & loss.excess & (loss.ratio > config.loss_heavy)
    else:
        over |= heard.news & (loss.ratio > 0.10)
    return np.asarray(over & (now_us - rate.resumed_us > config.outage_wait_us), dtype=np.bool_)


def _decrease(
    rate: Rate, over: Bools, link_short: Floats, link_long: Floats, delay: Delay, now_us: int, config: Config
) -> None:
    first = over & (now_us - rate.trouble_us > config.stall_us)
    rate.before_bps = np.where(first, rate.estimate_bps, rate.before_bps)
    rate.trouble_us = np.where(over, now_us, rate.trouble_us)
    rate.calm_since_us = np.where(over, now_us, rate.calm_since_us)
    wait = np.clip(rate.rtt_us, 100_000, config.decrease_us)
    # A queue that goes on jumping says that the cut before did not reach down to the link: there is no need to wait.
    jumped = delay.queue_ms > delay.queue_before_ms + config.queue_jump_ms
    cut = over & ((now_us - rate.cut_us >= wait) | jumped)
    # The short window has the truth: the long one holds what came before the fall, or before more was sent.
    link = np.where(np.isnan(link_short), link_long, link_short)
    falling = jumped & (link_long >= 0.9 * link)
    link = np.where(falling, np.fmin(link, link_long * delay.stretch), link)
    beta = np.where(delay.queue_ms > rate.high_ms, config.beta, config.beta_gentle)
    lower = np.where(np.isnan(link), rate.estimate_bps / 2, beta * link)
    rate.estimate_bps = np.where(cut, np.minimum(rate.estimate_bps, lower), rate.estimate_bps)
    rate.cut_us = np.where(cut, now_us, rate.cut_us)


def _increase(
    rate: Rate,
    heard: Heard,
    over: Bools,
    link_short: Floats,
    link_long: Floats,
    delay: Delay,
    now_us: int,
    since_us: I64,
    config: Config,
) -> None:
    queue, estimate = delay.queue_ms, rate.estimate_bps
    calm = heard.news & ~over & ~rate.out & (delay.signal != UNDER)
    # A busy link shows what it carries: what arrives while a queue stands is its capacity.
    busy = heard.news & ~rate.out & (queue > rate.low_ms)
    seen = np.where(busy & np.isfinite(link_long), config.sampled_share * link_long, 0.0)
    estimate = np.maximum(estimate, np.where(np.isfinite(seen), seen, 0.0))
    low = calm & (queue < rate.low_ms)
    if config.stall_undo:
        undone = low & (rate.before_bps > estimate) & (now_us - rate.trouble_us < config.stall_us)
        undone &= (now_us - rate.calm_since_us < config.stall_us) & (link_short > config.beta * rate.before_bps)
        estimate = np.where(undone, config.sampled_share * rate.before_bps, estimate)
    span_s = since_us / 1e6
    if config.steady_increase:
        step = np.maximum(config.grow_per_s * estimate, config.grow_least_bps) * span_s
    else:
        step = np.maximum(4000.0, 9600e6 / (2 * (rate.rtt_us + 100_000))) * span_s
    limit = config.grow_limit * np.fmax(link_long, 0.0) + 10_000
    rate.estimate_bps = np.where(low & (estimate < limit), np.minimum(estimate + step, limit), estimate)


def _blame(rate: Rate, delay: Delay, loss: Loss, now_us: int, config: Config) -> None:
    """Loss without a queue, right after more was sent than before, says that the link polices its rate."""
    if not config.loss_split:
        return
    guilty = loss.excess & (now_us - rate.raised_us < config.blame_us) & (rate.raised_from_bps < rate.estimate_bps)
    rate.estimate_bps = np.where(guilty, rate.raised_from_bps, rate.estimate_bps)
    rate.trouble_us = np.where(guilty, now_us, rate.trouble_us)
    rate.calm_since_us = np.where(guilty, now_us, rate.calm_since_us)
    rate.raised_us = np.where(guilty, -FOREVER_US, rate.raised_us)


def _watch_rivals(
    rate: Rate, heard: Heard, delay: Delay, flow: Arrivals, loss: Loss, now_us: int, config: Config
) -> None:
    """A queue that stays high for seconds after we halved, while all that we send arrives, belongs to somebody else."""
    arrives = np.fmax(flow.long_bps, 0.0)
    high = np.where(heard.news, delay.queue_ms > rate.low_ms, rate.high_since_us < FOREVER_US)
    begins = high & (rate.high_since_us == FOREVER_US) & heard.news
    rate.high_since_us = np.where(high, np.where(begins, now_us, rate.high_since_us), FOREVER_US)
    rate.onset_bps = np.where(begins, np.maximum(arrives, rate.estimate_bps), rate.onset_bps)
    halved = high & (rate.estimate_bps <= 0.5 * rate.onset_bps)
    rate.halved_us = np.where(halved, np.minimum(rate.halved_us, now_us), FOREVER_US)
    stays = halved & (now_us - rate.halved_us > config.compete_us) & (delay.queue_ms > rate.high_ms)
    # A queue that is our own drains: more arrives than is sent. One that a thin link keeps grows: less arrives.
    passes = (arrives < config.compete_most * rate.sent_bps) & (arrives > config.compete_least * rate.sent_bps)
    enters = stays & passes & ~rate.competing & (now_us >= rate.competing_us) & ~rate.out
    share = config.compete_share * rate.onset_bps
    rate.estimate_bps = np.where(enters, np.maximum(rate.estimate_bps, share), rate.estimate_bps)
    rate.competing_us = np.where(enters, now_us, rate.competing_us)
    rate.competing |= enters
    low = delay.queue_ms < rate.low_ms
    rate.low_since_us = np.where(rate.competing & low, np.minimum(rate.low_since_us, now_us), FOREVER_US)
    alone = now_us - rate.low_since_us > config.compete_leave_us
    # The trial: a link that is simply slow does not carry more when we send more.
    trial = now_us - rate.competing_us > config.compete_trial_us
    mistaken = trial & (arrives < 0.6 * rate.sent_bps * (1 - loss.random)) & (loss.ratio > config.compete_loss)
    leaves = rate.competing & (alone | mistaken | rate.out)
    rate.competing &= ~leaves
    blocked = now_us + np.where(alone, 0, config.compete_block_us)
    rate.competing_us = np.where(leaves, blocked, rate.competing_us)
    rate.halved_us = np.where(leaves, FOREVER_US, rate.halved_us)


def _target(rate: Rate, heard: Heard, delay: Delay, link_short: Floats, config: Config) -> Floats:
    """The estimate less what drains the queue."""
    if not config.queue_rule:
        return rate.estimate_bps
    # A delay tells of the queue when its packet was sent. No more can stand now than is on its way.
    flying_ms = heard.in_flight_bits * 1000 / np.fmax(link_short, config.protected_bps)
    over_ms = np.maximum(np.minimum(delay.queue_ms, flying_ms) - rate.low_ms, 0.0)
    share = np.where(delay.queue_ms > rate.high_ms / 2, np.minimum(over_ms / config.drain_ms, config.drain_most), 0.0)
    drain = np.where(rate.competing, 0.0, share * np.minimum(np.fmax(link_short, 0.0), rate.estimate_bps))
    return np.maximum(rate.estimate_bps - drain, np.minimum(config.protected_bps, rate.estimate_bps))

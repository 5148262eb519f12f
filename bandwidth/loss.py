"""Loss of every receiver, split: without a queue it is the link's and gets repaired, with one it is ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import Bools, Floats
from bandwidth.config import Config
from bandwidth.heard import Heard


@dataclass
class Loss:
    """Fading sums of packets; the ratios are what others read."""

    fast_lost: Floats
    fast_expected: Floats
    calm_lost: Floats  # of ticks without a queue only
    calm_expected: Floats
    burst_lost: Floats
    burst_runs: Floats
    ratio: Floats  # lost lately
    random: Floats  # lost while no queue stood: the link's own
    burst: Floats  # mean packets lost in a row, at least 1
    excess: Bools  # lately more was lost than the link's own loss explains


def fresh(count: int) -> Loss:
    """Rows that heard nothing yet."""

    def nothing() -> Floats:
        return np.zeros(count)

    return Loss(
        fast_lost=nothing(),
        fast_expected=nothing(),
        calm_lost=nothing(),
        calm_expected=nothing(),
        burst_lost=nothing(),
        burst_runs=nothing(),
        ratio=nothing(),
        random=nothing(),
        burst=np.ones(count),
        excess=np.zeros(count, dtype=np.bool_),
    )


def update(loss: Loss, heard: Heard, queued: Bools, out: Bools, span_us: int, config: Config) -> None:
    """Fold one tick in; `queued` rows had a queue. What an outage took (`out`) says nothing about the link."""
    lost, expected = np.where(out, 0.0, heard.lost), np.where(out, 0.0, heard.expected)
    fast, slow, long = (
        np.exp(-span_us / span) for span in (config.loss_fast_us, config.loss_slow_us, config.loss_burst_us)
    )
    loss.fast_lost = loss.fast_lost * fast + lost
    loss.fast_expected = loss.fast_expected * fast + expected
    loss.burst_lost = loss.burst_lost * long + lost
    loss.burst_runs = loss.burst_runs * long + np.where(out, 0.0, heard.loss_runs)
    loss.ratio = _ratio(loss.fast_lost, loss.fast_expected, config.loss_packets)
    # Only what was heard fades the link's own loss: silence is no news of it. A queue can only add to it: less is news.
    calm = (expected > 0) & (~queued | (loss.ratio < loss.random))
    loss.calm_lost = np.where(calm, loss.calm_lost * slow + lost, loss.calm_lost)
    loss.calm_expected = np.where(calm, loss.calm_expected * slow + expected, loss.calm_expected)
    random = _ratio(loss.calm_lost, loss.calm_expected, config.loss_packets)
    loss.random = np.minimum(random, config.loss_random_most)
    runs = np.maximum(loss.burst_runs, 1e-9)
    loss.burst = np.where(loss.burst_runs > 0.5, np.maximum(loss.burst_lost / runs, 1.0), 1.0)
    usual = np.maximum(loss.random, 0.01)
    sigma = np.sqrt(usual * (1 - usual) * loss.burst / np.maximum(loss.fast_expected, 1.0))
    loss.excess = loss.ratio - loss.random > np.maximum(config.loss_excess, config.loss_sigmas * sigma)


def _ratio(lost: Floats, expected: Floats, enough: float) -> Floats:
    return np.where(expected >= enough, np.minimum(lost / np.maximum(expected, 1e-9), 0.95), 0.0)

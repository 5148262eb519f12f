"""Receivers without transport-wide feedback: what receiver reports and REMB say of their links, and what not.

A receiver's own estimate (draft-alvestrand-rmcat-remb-03) follows what it is sent: it lags behind a climb, and a busy
software receiver takes its own hiccups for a queue. So it is a limit where loss or the round trip agree, or where it
stands still below what arrives; where nothing speaks against it, what arrives is what the link carries at least.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bandwidth.arrivals import Arrivals
from bandwidth.columns import I64, Floats
from bandwidth.config import Config
from bandwidth.delay import Delay
from bandwidth.heard import Heard
from bandwidth.loss import Loss
from bandwidth.rate_control import Rate

ROUND_TRIPS = 3


@dataclass
class Reports:
    """State of all receivers."""

    rtts_ms: Floats  # (rows, ROUND_TRIPS): the last ones; infinite: none yet
    remb_bps: Floats  # the last word; 0: none
    fits_us: I64  # when it rose, or was no less than what arrived, last
    cap_bps: Floats  # where it stood still below what arrived; infinite: nowhere


def fresh(count: int) -> Reports:
    """Rows that heard nothing yet."""
    return Reports(
        rtts_ms=np.full((count, ROUND_TRIPS), np.inf),
        remb_bps=np.zeros(count),
        fits_us=np.zeros(count, dtype=np.int64),
        cap_bps=np.full(count, np.inf),
    )


def calmed(reports: Reports, heard: Heard) -> Heard:
    """The least of the last round trips stands for the delay: a queue stays, the hiccup of a receiver does not."""
    told = ~heard.twcc & np.isfinite(heard.delay_ms)
    shifted = np.concatenate([reports.rtts_ms[:, 1:], heard.delay_ms[:, None]], axis=1)
    reports.rtts_ms = np.where(told[:, None], shifted, reports.rtts_ms)
    return replace(heard, delay_ms=np.where(told, reports.rtts_ms.min(axis=1), heard.delay_ms))


def steer(
    reports: Reports, rate: Rate, heard: Heard, delay: Delay, loss: Loss, flow: Arrivals, now_us: int, config: Config
) -> None:
    """Take one tick's words into the estimate."""
    told = heard.news & ~heard.twcc
    trouble = loss.excess | (delay.queue_ms > rate.low_ms)
    arrives = np.fmax(flow.long_bps, 0.0)
    remb = heard.remb_bps
    says = told & (remb > 0)
    rises = says & (remb > reports.remb_bps)
    fits = remb >= config.remb_fits * arrives
    silent = heard.twcc | (remb == 0)
    reports.fits_us = np.where(silent | rises | says & fits, now_us, reports.fits_us)
    stands = now_us - reports.fits_us > config.remb_stands_us
    reports.cap_bps = np.where(stands, remb, np.where(rises & (remb > reports.cap_bps), np.inf, reports.cap_bps))
    blind = heard.rtt_us < 0
    limit = np.where(says & ~fits & (trouble | blind), remb, reports.cap_bps)
    limited = rate.estimate_bps > limit
    rate.trouble_us = np.where(limited, now_us, rate.trouble_us)
    rate.calm_since_us = np.where(limited, now_us, rate.calm_since_us)
    carried = np.where(told & ~trouble, np.maximum(arrives, np.where(rises, remb, 0.0)), 0.0)
    rate.estimate_bps = np.minimum(np.maximum(rate.estimate_bps, carried), limit)
    reports.remb_bps = np.where(says, remb, reports.remb_bps)

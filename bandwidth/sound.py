"""Redundancy of sound for every receiver by its own loss: how many copies, and how far apart (RFC 2198 blocks)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bandwidth.columns import I64, U16, Bools, Floats
from bandwidth.config import Config
from bandwidth.heard import FOREVER_US

# Masks by number of copies: bit k stands for the packet k + 1 before.
NEAR = np.array([0b0, 0b1, 0b11, 0b10101], dtype=np.uint16)
APART = np.array([0b0, 0b1, 0b101, 0b10101], dtype=np.uint16)
FAR = np.array([0b0, 0b10, 0b1010, 0b101010], dtype=np.uint16)
# Packets of 60 ms into a shallow buffer: nothing older than 120 ms comes in time.
LATE = np.array([0b0, 0b1, 0b11, 0b11], dtype=np.uint16)


@dataclass
class Sound:
    """State of all receivers."""

    copies: I64
    lower_since_us: I64  # since when fewer would do; FOREVER: they would not
    lossy: Bools  # any was ever needed


def fresh(count: int) -> Sound:
    """Rows of which no loss is known yet: one copy stands for it, until the link has shown itself."""
    one, never = np.ones(count, dtype=np.int64), np.full(count, FOREVER_US, dtype=np.int64)
    return Sound(one, never, np.zeros(count, dtype=np.bool_))


def update(sound: Sound, loss: Floats, now_us: int, config: Config) -> None:
    """More at once, one fewer after some seconds (weak-link practice: loss comes back)."""
    need = np.searchsorted(config.copies_from, loss, side="right").astype(np.int64)
    sound.lossy |= need > 0
    lower = need < sound.copies
    since = np.where(lower, np.minimum(sound.lower_since_us, now_us), FOREVER_US)
    patience = np.where(sound.lossy, config.copies_down_us, config.copies_first_us)
    down = lower & (now_us - since >= patience)
    sound.copies = np.where(need > sound.copies, need, sound.copies - down)
    sound.lower_since_us = np.where(down, now_us, since)


def fitting(copies: I64, alone_bps: Floats, copy_bps: Floats, room_bps: Floats, first_bps: Floats) -> I64:
    """As many copies as fit beside the sound itself, and one where any is needed: sound goes whatever it costs.

    `first_bps` is what the first copy may not go beyond: a deep play-out buffer waits for repairs instead.
    """
    most = np.floor((room_bps - alone_bps) / np.maximum(copy_bps, 1.0))
    least = np.where(alone_bps + copy_bps <= first_bps, 1, 0)
    fit: I64 = np.clip(most, least, copies.max(initial=1)).astype(np.int64)
    return np.minimum(copies, fit)


def wanted(sound: Sound, repaired: Bools) -> I64:
    """Copies that the loss asks for; where repairs come in time one is enough, the link is worth more than a second."""
    return np.where(repaired, np.minimum(sound.copies, 1), sound.copies).astype(np.int64)


def mask(
    copies: I64, burst: Floats, listening: Bools, low_rate: Bools, repaired: Bools, hertz: Floats, config: Config
) -> U16:
    """Losses in a row need copies that stand apart; how far, the play-out buffer and the length of a packet say.

    Where sound is also `repaired` the one copy stands as far away as it may: by then it is known what a burst took.
    """
    bursty = burst >= config.bursty
    spaced = np.where(listening & ~low_rate, FAR[copies], APART[copies])
    chosen = np.where(bursty, spaced, NEAR[copies])
    chosen = np.where(low_rate & ~listening, LATE[copies], chosen)
    apart = 1 << (np.clip(config.copy_apart_s * hertz, 1, 16).astype(np.int64) - 1)
    return np.where(repaired, np.where(copies > 0, apart, 0), chosen).astype(np.uint16)

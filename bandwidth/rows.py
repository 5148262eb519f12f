"""Columns of state with one row a transport, which keep their rows when transports come and go."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from bandwidth.columns import U32, Indices

Table = TypeVar("Table")


def shared(old: U32, new: U32) -> tuple[Indices, Indices]:
    """Rows of the transports that are in both sorted lists: (in `new`, in `old`)."""
    _, mine, theirs = np.intersect1d(new, old, assume_unique=True, return_indices=True)
    return mine, theirs


def carried(old: Table, fresh: Table, mine: Indices, theirs: Indices) -> Table:
    """`fresh` with the rows `theirs` of `old` at `mine`, in every column."""
    for name, column in vars(fresh).items():
        if isinstance(column, np.ndarray):
            column[mine] = getattr(old, name)[theirs]
        else:
            setattr(fresh, name, getattr(old, name))
    return fresh

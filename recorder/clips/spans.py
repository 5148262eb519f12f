"""Stretches of time as pairs of seconds: what is left of some when others are taken out."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[float, float]


def union(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch as one, empty ones left out."""
    out: list[Span] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out


def without(spans: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """The first, as far as none of the others covers it."""
    out = union(spans)
    for hole in union(removed):
        pieces = ((max(s, low), min(e, high)) for s, e in out for low, high in ((s, hole[0]), (hole[1], e)))
        out = [(start, end) for start, end in pieces if end > start]
    return out


def overlap_s(span: Span, others: Iterable[Span]) -> float:
    """How many seconds of the span the others cover."""
    start, end = span
    return sum(max(0.0, min(end, high) - max(start, low)) for low, high in union(others))

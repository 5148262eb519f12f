"""What every link was last seen to carry, so that a classroom that comes back need not start from the bottom."""

from __future__ import annotations

from collections import OrderedDict

# Links that are remembered; the longest unused goes first.
MOST = 10_000


class LinkMemory:
    """A plain table by the link's id (`open_transport`'s `link`)."""

    def __init__(self) -> None:
        self._bps: OrderedDict[str, int] = OrderedDict()

    def recall(self, link: str | None) -> int:
        """Bit/s, 0: unknown."""
        return self._bps.get(link, 0) if link is not None else 0

    def learn(self, link: str | None, bps: int) -> None:
        """It carries this much now."""
        if link is None or bps <= 0:
            return
        self._bps[link] = bps
        self._bps.move_to_end(link)
        if len(self._bps) > MOST:
            self._bps.popitem(last=False)

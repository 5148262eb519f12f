"""After ten wrong passwords a login waits, each time twice as long: a bounded table, time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

FREE_TRIES = 10
FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3600.0
FORGOTTEN_S = 86_400.0
REMEMBERED = 20_000


class Lockout:
    """Wrong tries by login; a right one clears them."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # count, time of the last

    def wait_s(self, login: str, now_s: float) -> float:
        """How long this login still has to wait; 0: it may try."""
        count, last_s = self._wrong.get(login, (0, now_s))
        if count < FREE_TRIES or now_s - last_s > FORGOTTEN_S:
            return 0.0
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(count - FREE_TRIES, 10))
        return max(0.0, min(wait_s, last_s + wait_s - now_s))  # no longer, also when the clock was set back

    def begin(self, login: str, now_s: float) -> int:
        """Count a try as wrong until `right` says otherwise, so that tries at one moment are all counted; the count."""
        count, last_s = self._wrong.pop(login, (0, now_s))
        count = 1 if now_s - last_s > FORGOTTEN_S else count + 1
        self._wrong[login] = (count, now_s)
        if len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)
        return count

    def recall(self, wrong: Iterable[tuple[str, int, float]]) -> None:
        """What was counted before a restart: login, count, time of the last, the oldest first."""
        self._wrong.update({login: (count, last_s) for login, count, last_s in wrong})

    def right(self, login: str) -> None:
        """It was the right password."""
        self._wrong.pop(login, None)

"""The codes of the checks: one of the day that lets a computer without an account check, and one for each report."""

from __future__ import annotations

import hmac
import secrets

DAY_MS = 86_400_000
# Crockford's base 32: nothing that is taken for something else when it is read out over a telephone.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REPORT_LETTERS = 6
TAKEN_FOR = str.maketrans("OIL", "011")


def code_of_day(secret: str, now_ms: int) -> str:
    """Six digits that are derived from the server's secret and the day (UTC), so that nothing is stored."""
    digest = hmac.digest(secret.encode(), f"zhuandi check {now_ms // DAY_MS}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 900_000 + 100_000}"


def is_code_of_day(code: str, secret: str, now_ms: int) -> bool:
    """Whether it is the code of this day or the one before; compared in constant time."""
    good = (code_of_day(secret, now_ms), code_of_day(secret, now_ms - DAY_MS))
    matches = [hmac.compare_digest(one.encode(), code.encode()) for one in good]
    return any(matches)


def new_report_code() -> str:
    """Six letters to read out over the phone."""
    return "".join(secrets.choice(LETTERS) for _ in range(REPORT_LETTERS))


def spoken(code: str) -> str:
    """A code as it was meant, however it was typed."""
    return "".join(code.upper().split()).replace("-", "").translate(TAKEN_FOR)

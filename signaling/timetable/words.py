"""How people write weekdays, hours, days and the like in a timetable: text in, value or None out."""

from __future__ import annotations

import datetime
import re
import unicodedata

from signaling.timetable.model import DAY_MIN, Mode

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOUR = re.compile(r"(\d{1,2}):(\d{2})(?::00)?")
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 00:00(?::00)?)?")
MODE_WORDS: dict[str, Mode] = {
    "": "live", "直播": "live", "live": "live", "录播": "recorded", "recorded": "recorded",
    "观摩": "observe", "observe": "observe",
}  # fmt: skip
MODE_NAMES: dict[Mode, str] = {"live": "直播", "recorded": "录播", "observe": "观摩"}
YES_NO = {"": True, "是": True, "yes": True, "y": True, "1": True, "否": False, "no": False, "n": False, "0": False}
BETWEEN = re.compile(r"[;；、,，\n]")


def plain(text: str) -> str:
    """Without what makes no difference: width, case, spaces around."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def weekday(text: str) -> int | None:
    """1 Monday to 7 Sunday."""
    word = plain(text)
    for prefix in ("星期", "礼拜", "周"):
        word = word.removeprefix(prefix)
    word = "日" if word == "天" else word
    if word in tuple(WEEKDAYS_ZH):
        return WEEKDAYS_ZH.index(word) + 1
    if word in tuple("1234567"):
        return int(word)
    return next((n for n, name in enumerate(WEEKDAYS_EN, start=1) if len(word) >= 3 and name.startswith(word)), None)


def minute(text: str) -> int | None:
    """Minutes after midnight; 24:00 is the end of the day."""
    match = HOUR.fullmatch(plain(text))
    if match is None or int(match[2]) > 59:
        return None
    minutes = int(match[1]) * 60 + int(match[2])
    return minutes if minutes <= DAY_MIN else None


def day(text: str) -> datetime.date | None:
    """A date as 2026-09-01, 2026/9/1 or 2026年9月1日."""
    match = DAY.fullmatch(plain(text))
    if match is None:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def several(text: str) -> list[str]:
    """The parts of a list, as they stand there."""
    return [part.strip() for part in BETWEEN.split(text) if part.strip()]


def hour_text(minutes: int) -> str:
    """As the wall clock shows it."""
    return f"{minutes // 60:02}:{minutes % 60:02}"

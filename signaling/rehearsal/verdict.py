"""What a classroom's rehearsal comes to: what the server saw and what the page said go in, a sentence comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from streaming.params import Reason

Mark = Literal["ok", "poor", "bad", "unknown"]
Device = Literal["ok", "none", "denied", "unknown"]


class PageFacts(BaseModel):
    """What the page of a classroom got, as it says itself."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)
    sound: Literal["ok", "broken", "silent"]
    slides: Literal["ok", "missing"]
    picture: Annotated[int, Field(ge=0, le=10_000)] = 0
    blocked: bool = False
    camera: Device = "unknown"
    microphone: Device = "unknown"


@dataclass
class Findings:
    """All that is known of one classroom in a rehearsal."""

    paired: bool
    online: bool = False  # its page asked for the day since the rehearsal began
    elsewhere: bool = False  # in a lesson of its own
    joined_ms: int | None = None
    connected: bool = False
    reason: Reason | None = None
    page: PageFacts | None = None


# code: (Chinese, English), the worst first; the first one that holds is the verdict.
SENTENCES: dict[str, tuple[str, str]] = {
    "not_in": (
        "本页在线，但没有进入课堂：请检查学校防火墙是否放行媒体端口（UDP 和 TCP）。",
        "The page is online but did not come in: does the school's firewall let the media port through (UDP and TCP)?",
    ),
    "silent": (
        "进入了课堂，但没有声音到达：请让管理员查看线路。",
        "It came in, but no sound arrived: look at its line.",
    ),
    "blocked": (
        "声音已到达，但浏览器在等一次点击：请按回车键，并按设置说明允许自动播放。",
        "Sound arrives, but the browser waits for a press: press Enter, and allow autoplay as the setup guide says.",
    ),
    "no_slides": (
        "有声音，但看不到课件：请刷新页面再试一次。",
        "It has sound but no slides: reload the page and try again.",
    ),
    "cut": ("线路中途断开：请检查网线或路由器。", "The line was cut in between: look at the cable or the router."),
    "broken_sound": (
        "声音有断续：线路丢包较多，请用网线连接。",
        "The sound breaks up: many packets are lost; use a cable.",
    ),
    "offline": ("没有在线：请打开教室电脑和听课页面。", "Not online: switch the computer on and open its page."),
    "not_paired": ("还没有配对：请在教室电脑上输入配对码。", "Not paired yet: enter the pairing code on its computer."),
    "unsaid": ("已进入课堂，本页还没有报告结果。", "It came in; its page has not reported yet."),
    "slow": ("能上课，但网络较慢：会先保声音和课件。", "It works, but the line is slow: sound and slides come first."),
    "no_microphone": (
        "能听课，但没有可用的麦克风：上台时无法发言。",
        "It can attend, but has no microphone that works: it could not speak on stage.",
    ),
    "no_camera": ("能听能说，但没有可用的摄像头。", "It hears and speaks, but has no camera that works."),
    "own_lesson": ("正在上自己的课，没有参加联调。", "It has a lesson of its own and took no part."),
    "well": ("一切正常。", "All is well."),
}
CODES = tuple(SENTENCES)


def verdict(found: Findings) -> dict[str, Any]:
    """Marks, code and sentences."""
    code = _code(found)
    zh, en = SENTENCES[code]
    return {**_marks(found), "code": code, "zh": zh, "en": en}


def _code(found: Findings) -> str:
    if not found.paired:
        return "not_paired"
    if found.elsewhere and not found.connected:
        return "own_lesson"
    if not found.connected:
        return "not_in" if found.online or found.joined_ms is not None else "offline"
    page = found.page
    if page is None:
        return "unsaid"
    tests = (
        ("blocked", page.blocked),
        ("silent", page.sound == "silent"),
        ("no_slides", page.slides == "missing"),
        ("cut", found.reason == "link_out"),
        ("broken_sound", page.sound == "broken"),
        ("slow", _link(found) == "poor"),
        ("no_microphone", page.microphone in ("none", "denied")),
        ("no_camera", page.camera in ("none", "denied")),
    )
    return next((code for code, holds in tests if holds), "well")


def _marks(found: Findings) -> dict[str, Mark]:
    page = found.page
    joins: Mark = "ok" if found.connected else "bad" if found.online or found.joined_ms is not None else "unknown"
    if page is None or not found.connected:
        return {"joins": joins, "sound": "unknown", "slides": "unknown", "link": "unknown", "device": "unknown"}
    sounds: dict[str, Mark] = {"ok": "ok", "broken": "poor", "silent": "bad"}
    devices = {page.camera, page.microphone}
    device: Mark = "poor" if devices & {"none", "denied"} else "unknown" if "unknown" in devices else "ok"
    return {
        "joins": joins,
        "sound": "bad" if page.blocked else sounds[page.sound],
        "slides": "ok" if page.slides == "ok" else "bad",
        "link": _link(found),
        "device": device,
    }


def _link(found: Findings) -> Mark:
    if found.reason is None:
        return "unknown"
    return "bad" if found.reason == "link_out" else "poor" if found.reason in ("link_slow", "link_lossy") else "ok"

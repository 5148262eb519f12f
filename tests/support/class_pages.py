"""Pages of one lesson, each with its own tone and colour: who hears and sees whom can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from tests.support.browser import PATIENCE_S, PROBE, eventually
from tests.support.server import Server, make_token

OWN_MEDIA = Path(__file__).with_name("own_media.js")
NEAR = 60  # of 255, after a camera's way through an encoder


@dataclass(frozen=True)
class Look:
    """How one end sounds and looks."""

    hertz: int
    colour: str

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green, blue."""
        return (int(self.colour[1:3], 16), int(self.colour[3:5], 16), int(self.colour[5:7], 16))


TEACHER = Look(450, "#e0e0e0")
CLASSES = {
    "甲校": Look(750, "#d02020"),
    "乙校": Look(1050, "#20b020"),
    "丙校": Look(1500, "#2030d0"),
    "丁校": Look(2100, "#d0c020"),
}
ALL_HERTZ = [TEACHER.hertz, *(look.hertz for look in CLASSES.values())]


@dataclass(frozen=True)
class Size:
    """A window."""

    width: int = 1366
    height: int = 768


async def page_of(
    browser: Browser,
    look: Look,
    url: str,
    *,
    language: str = "zh-CN",
    size: Size = Size(),
    patience_s: float = PATIENCE_S,
) -> Page:
    """A page in a profile of its own that hums this tone and shows this colour."""
    context = await browser.new_context(
        ignore_https_errors=True,
        locale=language,
        viewport={"width": size.width, "height": size.height},
        permissions=["camera", "microphone"],
    )
    await context.add_init_script(path=PROBE)
    script = OWN_MEDIA.read_text().replace("HERTZ]", f"{look.hertz}]").replace("HERTZ,", f"{look.hertz},")
    await context.add_init_script(script.replace("COLOUR'", f"{look.colour}'"))
    page = await context.new_page()
    page.set_default_timeout(1000 * patience_s)
    await page.goto(url, timeout=1000 * patience_s)
    return page


async def classroom(browser: Browser, server: Server, lesson: str, name: str, **page: Any) -> Page:
    """A classroom's page of this lesson, with the look of its name."""
    port = page.pop("port", server.port)
    token = make_token("classroom", lesson, name)
    url = f"https://{server.host}:{port}/classroom#token={token}"
    return await page_of(browser, CLASSES[name], url, **page)


async def hears(page: Page, hertz: set[int], within_s: float = PATIENCE_S) -> None:
    """Wait until these tones arrive and no others of the lesson."""
    wanted = sorted(ALL_HERTZ)
    await eventually(
        lambda: page.evaluate("(all) => window.probe.tones(all)", wanted), lambda got: set(got) == hertz, within_s
    )


async def sees(page: Page, name: str, look: Look | None, within_s: float = PATIENCE_S) -> None:
    """Wait until a picture has this colour; None: until it is not there."""

    def good(got: list[int] | None) -> bool:
        if look is None or got is None:
            return look is None and got is None
        return all(abs(a - b) < NEAR for a, b in zip(got, look.rgb, strict=True))

    await eventually(lambda: page.evaluate("(id) => window.probe.colour(id)", name), good, within_s)


def tile(teacher: Page, name: str) -> Any:
    """A classroom's tile on the teacher's wall."""
    return teacher.locator(f'[data-testid="tile"][data-name="{name}"]')


async def call(teacher: Page, name: str) -> None:
    """One click on its tile."""
    # Frames are few where two cores draw five pages: what stands still is not waited for.
    await tile(teacher, name).locator(".face").click(force=True)

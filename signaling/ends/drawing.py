"""The pictures of the demo lesson: slides with large page numbers, and a camera-like scene with a teacher."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from signaling.ends.counter import draw_counter
from signaling.ends.lesson_text import PAGES, TITLE, TITLE_EN, Page

SIZE = (1280, 720)
# Fonts with Chinese glyphs where systems keep them; without one the English words are drawn.
CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
)
PAPER, INK, ACCENT, SOFT = (250, 249, 245), (28, 36, 48), (24, 119, 182), (196, 222, 236)
Colour = tuple[int, int, int]


@cache
def cjk_font_file() -> str | None:
    """A font file with Chinese glyphs, or None."""
    return next((name for name in CJK_FONTS if Path(name).exists()), None)


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    name = cjk_font_file()
    return ImageFont.load_default(pixels) if name is None else ImageFont.truetype(name, pixels)


def _words(chinese: str, english: str) -> str:
    return english if cjk_font_file() is None else chinese


@cache
def _slide(page: Page) -> Image.Image:
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], 96), fill=ACCENT)
    draw.text((48, 20), _words(TITLE, TITLE_EN), font=_font(46), fill=PAPER)
    draw.text((56, 130), _words(page.title, page.title_en), font=_font(72), fill=INK)
    draw.text((56, 240), _words(page.words, page.words_en), font=_font(34), fill=INK)
    draw.text((56, 300), str(page.number), font=_font(300), fill=ACCENT)
    circle = (760, 250, 1160, 650)
    draw.ellipse(circle, fill=SOFT, outline=INK, width=4)
    draw.pieslice(circle, -90, -90 + 360 * float(page.share), fill=ACCENT, outline=INK, width=4)
    parts = page.share.denominator
    for part in range(parts if parts > 1 else 0):
        angle = math.tau * part / parts - math.pi / 2
        draw.line((960, 450, 960 + 200 * math.cos(angle), 450 + 200 * math.sin(angle)), fill=INK, width=4)
    return image


def slide_frame(number: int, fps: int, page_s: int) -> Image.Image:
    """The shared screen at frame `number`."""
    page = PAGES[number // (fps * page_s) % len(PAGES)]
    image = _slide(page).copy()
    draw_counter(ImageDraw.Draw(image), SIZE, number)
    return image


@cache
def _classroom() -> Image.Image:
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    for y in range(SIZE[1]):
        shade = 205 - y * 60 // SIZE[1]
        draw.line((0, y, SIZE[0], y), fill=(shade, shade - 8, shade - 25))
    draw.rectangle((90, 70, 800, 450), fill=(122, 84, 50))
    draw.rectangle((105, 85, 785, 435), fill=(34, 78, 62))
    draw.text((150, 120), _words(TITLE, TITLE_EN), font=_font(60), fill=(232, 236, 228))
    draw.text((150, 230), "1/2 + 1/4 = 3/4", font=_font(64), fill=(232, 236, 228))
    draw.rectangle((0, 610, SIZE[0], SIZE[1]), fill=(140, 100, 64))
    return image


def _limb(draw: ImageDraw.ImageDraw, start: tuple[float, float], angle: float, length: float, colour: Colour) -> None:
    end = (start[0] + length * math.cos(angle), start[1] + length * math.sin(angle))
    draw.line((*start, *end), fill=colour, width=44)
    draw.ellipse((end[0] - 28, end[1] - 28, end[0] + 28, end[1] + 28), fill=(233, 190, 160))


def camera_frame(number: int, fps: int) -> Image.Image:
    """The camera's picture at frame `number`: a teacher who sways, points and speaks, a time code and the counter."""
    seconds = number / fps
    image = _classroom().copy()
    draw = ImageDraw.Draw(image)
    x = 985 + 42 * math.sin(math.tau * seconds / 6)
    y = 250 + 6 * math.sin(math.tau * seconds / 1.5)
    coat = (58, 82, 140)
    draw.rounded_rectangle((x - 105, y + 95, x + 105, y + 420), 60, fill=coat)
    _limb(draw, (x - 85, y + 150), math.radians(200 + 22 * math.sin(math.tau * seconds / 3)), 210, coat)
    _limb(draw, (x + 85, y + 150), math.radians(75 + 12 * math.sin(math.tau * seconds / 5)), 190, coat)
    draw.ellipse((x - 75, y - 95, x + 75, y + 95), fill=(233, 190, 160))
    draw.pieslice((x - 82, y - 110, x + 82, y + 60), 180, 360, fill=(40, 32, 30))
    blink = 2 if seconds % 4 < 0.12 else 11
    for eye in (-30, 30):
        draw.ellipse((x + eye - 9, y - blink, x + eye + 9, y + blink), fill=(30, 30, 40))
    mouth = 5 + 13 * abs(math.sin(math.tau * seconds * 2.1))
    draw.ellipse((x - 24, y + 45 - mouth, x + 24, y + 45 + mouth), fill=(150, 50, 60))
    clock = f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}.{number % fps:02d}"
    draw.text((960, 630), clock, font=_font(52), fill=(250, 250, 240))
    draw_counter(draw, SIZE, number)
    return image

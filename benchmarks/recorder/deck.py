"""A scripted deck as a film: pages with fades, builds, a pointer and an embedded video, and when each page was turned.

Everything follows from the seed, so that what is tuned on some seeds can be tried on others.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

from signaling.ends.drawing import cjk_font_file

SIZE = (640, 360)
WORDS = "分数的意义与基本性质通分约分比较大小小数百分数应用题三角形面积周长方程未知数解法速度时间路程"
LATIN = "water cycle energy photosynthesis grammar tense history river mountain climate fraction angle"
_MARGIN = 30


@dataclass(frozen=True)
class Page:
    """One page: from when to when it is shown, and what happens on it."""

    number: int
    start_s: float
    end_s: float
    fade_s: float
    builds: tuple[float, ...]  # when further lines appear
    video: tuple[int, int, int, int] | None  # a box with moving picture
    topic: bool  # a new topic begins with it
    style: int


@dataclass(frozen=True)
class Deck:
    """All pages of a lesson; `truth` is when they were turned, in seconds."""

    seed: int
    pages: tuple[Page, ...]
    pointer: bool

    @property
    def truth(self) -> list[float]:
        """When a page was turned."""
        return [page.start_s for page in self.pages[1:]]

    @property
    def topics(self) -> list[float]:
        """When a new topic began."""
        return [page.start_s for page in self.pages[1:] if page.topic]

    def picture(self, at_s: float) -> Image.Image:
        """What the screen shows at that moment."""
        page = next((p for p in self.pages if p.start_s <= at_s < p.end_s), self.pages[-1])
        picture = _drawn(self, page, at_s)
        since_s = at_s - page.start_s
        if page.fade_s and since_s < page.fade_s and page.number:
            before = _drawn(self, self.pages[page.number - 1], page.start_s - 0.01)
            picture = Image.blend(before, picture, since_s / page.fade_s)
        if self.pointer:
            x = SIZE[0] * (0.5 + 0.4 * math.sin(at_s * 0.9 + self.seed))
            y = SIZE[1] * (0.5 + 0.4 * math.sin(at_s * 0.53))
            if math.sin(at_s / 9) > 0:  # it rests as often as it moves
                x, y = SIZE[0] * 0.7, SIZE[1] * 0.6
            ImageDraw.Draw(picture).polygon([(x, y), (x + 9, y + 14), (x + 3, y + 14)], fill=(200, 30, 30))
        return picture


def make_deck(seed: int, length_s: float, page_s: tuple[float, float] = (12, 40), topic_s: float = 330.0) -> Deck:
    """A lesson of this length; topics last about `topic_s`, pages as long as the range says."""
    chance = random.Random(seed)
    pages: list[Page] = []
    at_s, next_topic_s = 0.0, topic_s * chance.uniform(0.6, 1.4)
    style = chance.randrange(4)
    while at_s < length_s:
        end_s = at_s + chance.uniform(*page_s)
        end_s = length_s if length_s - end_s < page_s[0] else end_s
        topic = at_s >= next_topic_s
        if topic:
            next_topic_s = at_s + topic_s * chance.uniform(0.6, 1.4)
        lines = chance.randrange(0, 4)
        builds = tuple(sorted(at_s + chance.uniform(3, max(4.0, end_s - at_s - 3)) for _ in range(lines)))
        video = None
        if chance.random() < 0.15:
            x = chance.choice((_MARGIN, 340))
            video = (x, 110, x + 260, 300)
        fade_s = chance.choice((0.0, 0.0, 0.6, 1.2))
        pages.append(Page(len(pages), at_s, end_s, fade_s, builds, video, topic, style))
        at_s = end_s
    return Deck(seed, tuple(pages), chance.random() < 0.7)


def _drawn(deck: Deck, page: Page, at_s: float) -> Image.Image:
    shown = sum(1 for build in page.builds if build <= at_s)
    picture = _still(deck.seed, page, shown).copy()
    if page.video is not None:
        picture.paste(_video(at_s, page), page.video[:2])
    return picture


@lru_cache(maxsize=16)
def _still(seed: int, page: Page, shown: int) -> Image.Image:
    chance = random.Random(f"{seed}/{page.number}")
    dark = page.style == 1
    ground, ink = ((24, 32, 56), (235, 235, 225)) if dark else ((250, 250, 245), (30, 30, 40))
    picture = Image.new("RGB", SIZE, ground)
    draw = ImageDraw.Draw(picture)
    if page.style >= 2:  # a template that stays the same on all pages
        draw.rectangle((0, 0, SIZE[0], 26), fill=(40, 90, 160))
        draw.text((8, 4), "第一小学 · 数学", font=_font(16), fill=(255, 255, 255))
    if page.topic:
        draw.text((90, 150), _words(chance, 7), font=_font(44), fill=ink)
        return picture
    draw.text((_MARGIN, 36), _words(chance, 8), font=_font(30), fill=ink)
    if page.video is None and chance.random() < 0.3:
        box = (400, 200, 600, 330)
        draw.rectangle(box, outline=ink, fill=tuple(chance.randrange(60, 220) for _ in range(3)))
    count = chance.randrange(2, 5)
    kept = chance.randrange(1, count + 1)
    for line in range(kept + shown):
        y = 100 + 36 * line
        text = _words(chance, chance.randrange(8, 22)) if chance.random() < 0.7 else _latin(chance)
        if page.video is None or page.video[0] > 300:
            draw.text((_MARGIN, y), text[:12] if page.video else text, font=_font(22), fill=ink)
    return picture


def _video(at_s: float, page: Page) -> Image.Image:
    """Something that moves and changes its scene every seven seconds."""
    box = page.video or (0, 0, 1, 1)
    size = (box[2] - box[0], box[3] - box[1])
    scene = int(at_s / 7)
    chance = random.Random(scene + page.number * 1000)
    colour = tuple(chance.randrange(40, 200) for _ in range(3))
    picture = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(picture)
    for i in range(8):
        x = (chance.randrange(size[0]) + at_s * (20 + 15 * i)) % size[0]
        y = (chance.randrange(size[1]) + 30 * math.sin(at_s + i)) % size[1]
        draw.ellipse((x - 25, y - 25, x + 25, y + 25), fill=tuple(chance.randrange(256) for _ in range(3)))
    return ImageChops.offset(picture, int(at_s * 23) % size[0], 0)


def _words(chance: random.Random, count: int) -> str:
    return "".join(chance.choice(WORDS) for _ in range(count))


def _latin(chance: random.Random) -> str:
    return " ".join(chance.choice(LATIN.split()) for _ in range(4))


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    file = cjk_font_file()
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)

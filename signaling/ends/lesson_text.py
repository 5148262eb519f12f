"""What the demo lesson says: a page each ten seconds."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Page:
    """One slide: its number from 1, the words in both languages, and a share of a circle to draw."""

    number: int
    title: str
    title_en: str
    words: str
    words_en: str
    share: Fraction


TITLE = "认识分数"
TITLE_EN = "Getting to know fractions"

_PAGES = [
    (
        "什么是分数",
        "What is a fraction",
        "把一个圆平均分，取其中几份，就是分数",
        "Cut a circle into equal parts",
        Fraction(1),
    ),
    ("二分之一", "One half", "平均分成两份，取一份", "Two equal parts, take one", Fraction(1, 2)),
    ("三分之一", "One third", "平均分成三份，取一份", "Three equal parts, take one", Fraction(1, 3)),
    ("四分之一", "One quarter", "平均分成四份，取一份", "Four equal parts, take one", Fraction(1, 4)),
    ("四分之三", "Three quarters", "平均分成四份，取三份", "Four equal parts, take three", Fraction(3, 4)),
    ("三分之二", "Two thirds", "平均分成三份，取两份", "Three equal parts, take two", Fraction(2, 3)),
    ("五分之二", "Two fifths", "平均分成五份，取两份", "Five equal parts, take two", Fraction(2, 5)),
    ("五分之四", "Four fifths", "平均分成五份，取四份", "Five equal parts, take four", Fraction(4, 5)),
    ("比一比", "Compare", "二分之一比三分之一大", "One half is more than one third", Fraction(1, 2)),
    ("再比一比", "Compare again", "四分之一比三分之一小", "One quarter is less than one third", Fraction(1, 4)),
    ("六分之一", "One sixth", "平均分成六份，取一份", "Six equal parts, take one", Fraction(1, 6)),
    ("六分之五", "Five sixths", "平均分成六份，取五份", "Six equal parts, take five", Fraction(5, 6)),
    ("相等的分数", "Equal fractions", "六分之三就是二分之一", "Three sixths are one half", Fraction(1, 2)),
    ("加一加", "Add", "四分之一加四分之二是四分之三", "One quarter and two quarters", Fraction(3, 4)),
    ("减一减", "Subtract", "五分之四减五分之二是五分之二", "Four fifths less two fifths", Fraction(2, 5)),
    ("八分之三", "Three eighths", "平均分成八份，取三份", "Eight equal parts, take three", Fraction(3, 8)),
    ("想一想", "Think", "八分之七还差多少到一", "What does seven eighths lack", Fraction(7, 8)),
    ("下课", "The end", "今天我们认识了分数，同学们再见", "Goodbye, and see you tomorrow", Fraction(1)),
]
PAGES = [Page(number, *texts) for number, texts in enumerate(_PAGES, start=1)]
PAGE_S = 10

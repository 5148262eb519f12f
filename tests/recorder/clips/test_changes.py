"""Turned pages in films with fades, builds, a pointer and embedded video that the thresholds were not tuned on."""

from __future__ import annotations

import numpy as np
from PIL import Image

from benchmarks.recorder.deck import Deck, make_deck
from benchmarks.recorder.scores import matched
from recorder.clips.changes import LOOK, SlideChanges

LENGTH_S = 200
NEAR_S = 1.5


def changes_of(deck: Deck, seed: int, noise: float = 2.0) -> list[float]:
    """What is found in its pictures, one a second, with a codec's noise."""
    chance, changes, found = np.random.default_rng(seed), SlideChanges(), []
    for at in range(LENGTH_S):
        small = deck.picture(float(at)).convert("L").resize(LOOK, Image.Resampling.BOX)
        grey = np.asarray(small).astype(float) + chance.normal(0, noise, (LOOK[1], LOOK[0]))
        found += changes.see(float(at), np.clip(grey, 0, 255).astype(np.uint8))
    return found + changes.finish()


def test_pages_are_found_and_nothing_else_on_decks_it_was_not_tuned_on() -> None:
    hits = turned = found = 0
    for seed in range(100, 104):
        deck = make_deck(seed, LENGTH_S)
        mine = changes_of(deck, seed)
        hits, turned, found = hits + matched(deck.truth, mine, NEAR_S), turned + len(deck.truth), found + len(mine)
    assert turned >= 20
    assert hits >= 0.93 * turned and hits >= 0.9 * found


def test_a_pointer_and_a_video_turn_no_page() -> None:
    deck = make_deck(7, LENGTH_S, page_s=(LENGTH_S, LENGTH_S + 1))
    film = Deck(
        7, tuple(page.__class__(**{**page.__dict__, "video": (30, 110, 290, 300)}) for page in deck.pages), True
    )
    assert changes_of(film, 7) == []


def test_a_page_that_was_turned_at_the_very_end_is_told_by_the_end() -> None:
    changes = SlideChanges()
    one = np.full((LOOK[1], LOOK[0]), 250, np.uint8)
    other = one.copy()
    one[10:20, 10:100] = 20
    other[40:60, 10:100] = 20
    found = [at for second in range(10) for at in changes.see(float(second), one)]
    found += [at for second in range(10, 13) for at in changes.see(float(second), other)]
    assert found == [] and changes.finish() == [9.5]

"""The recorded teacher of the simulator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.links import films
from benchmarks.links.films import Recording, Row
from benchmarks.links.publisher import CAMERA_LINE, LOW_VOICE_LINE, VOICE_LINE, recording
from benchmarks.links.record import evenly, stalls

# Heights and rates that the page asks for (web_client/src/shared/simulcast.ts).
ASKED = ((180, 90_000), (360, 350_000), (720, 1_200_000))


def test_the_recorded_teacher_has_the_rates_that_the_page_asks_for() -> None:
    film = films.camera()
    assert [height for height, _, _ in film.encodings] == [height for height, _ in ASKED]
    for number, (_, asked_bps) in enumerate(ASKED):
        rates = [film.media_bps(number, temporal) for temporal in range(3)]
        assert rates[0] < rates[1] < rates[2]
        assert 0.8 * asked_bps < rates[2] < 1.1 * asked_bps
    low_bps, normal_bps = (films.microphone(True).media_bps(number, 0) for number in range(2))
    assert low_bps < 14_000 < 20_000 < normal_bps < 40_000


def test_the_better_voice_alone_is_the_first_encoding() -> None:
    alone, both = films.microphone(False), films.microphone(True)
    assert alone.encodings == both.encodings[1:]
    assert alone.media_bps(0, 0) == both.media_bps(1, 0)


def test_every_layer_begins_with_a_base_frame_and_repeats_without_a_gap() -> None:
    source = films.recorded()
    for number in range(len(ASKED)):
        rows = [row for row in source.camera if row.encoding == number]
        times = np.array([row.at_us for row in rows])
        assert rows[0].temporal == 0
        assert np.diff(times, append=source.loop_us + times[0]).max() < 80_000


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    made = Recording(
        1_000_000, [Row(0, 0, 0, 0, 900), Row(40_000, 0, 2, 1, 300)], [(180, 320, [4000])], [[70], [60, 61]]
    )
    made.write(tmp_path / "one.csv")
    assert Recording.read(tmp_path / "one.csv") == made


def test_a_machine_that_stood_still_is_found_out() -> None:
    times = [0, 67_000, 133_000, 200_000, 551_000, 600_000]
    made = Recording(610_000, [Row(at_us, 0, 0, 0, 900) for at_us in times], [(180, 320, [4000])], [[70], [60]])
    assert stalls(made) == [0.2]
    assert stalls(evenly(made)) == []


@pytest.mark.parametrize("first", [0, 2**32 - 7200])
def test_frames_of_the_tap_become_a_film(first: int) -> None:
    def frame(
        number: int, temporal: int, needs: list[int], *, line: int = CAMERA_LINE, key: bool = False
    ) -> dict[str, object]:
        ticks = (first + 3600 * number) % 2**32
        return {
            "line": line, "ssrc": 7 + line, "ticks": ticks, "key": key, "bytes": 100 + number,
            "temporal": temporal, "number": number, "needs": needs, "height": 180, "width": 320,
        }  # fmt: skip

    pictures = [frame(0, 2, []), frame(1, 0, [], key=True), frame(2, 2, [1]), frame(3, 1, [1]), frame(4, 2, [3])]
    voices = [frame(n, 0, [], line=line) for line in (VOICE_LINE, LOW_VOICE_LINE) for n in range(9)]
    made = recording([*pictures, *voices], [frame(9, 0, [], key=True)], 120_000)
    assert made.camera == [Row(0, 0, 0, 0, 101), Row(40_000, 0, 2, 1, 102), Row(80_000, 0, 1, 1, 103)]
    assert made.layers == [(180, 320, [109, 101])]
    assert [len(sizes) for sizes in made.voices] == [2, 6]

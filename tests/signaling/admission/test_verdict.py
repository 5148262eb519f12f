"""The verdict on a newcomer from what is taken, and turns at the bell: values in, values out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.admission.costs import CAMERA_BPS, SCREEN_BPS, costs_of
from signaling.admission.pace import KEPT_S, LONGEST_S, MAX_APPOINTMENTS, Pace
from signaling.admission.verdict import SOUND, WHOLE, Scope, judge
from signaling.transport import Publication
from streaming.params import EncodingStats, PublicationStats

MBIT = 1_000_000
NOMINAL = costs_of({}, {})


def scope(receivers: int = 0, bps: int = 0, max_receivers: int = 200, max_bps: int = 0) -> Scope:
    return Scope("lesson_receivers", "lesson_mbit", max_receivers, max_bps, receivers, bps)


def node(receivers: int = 0, bps: int = 0, max_receivers: int = 1000, max_bps: int = 0) -> Scope:
    return Scope("node_receivers", "node_mbit", max_receivers, max_bps, receivers, bps)


def test_the_last_place_is_given_and_not_one_more() -> None:
    assert judge([scope(199), node(199)], NOMINAL, may_watch=False).kind == "accept"
    full = judge([scope(200), node(200)], NOMINAL, may_watch=False)
    assert (full.kind, full.cause) == ("wait", "lesson_receivers") and not full.comes_in
    elsewhere = judge([scope(3), node(1000)], NOMINAL, may_watch=False)
    assert (elsewhere.kind, elsewhere.cause) == ("wait", "node_receivers")


def test_the_less_is_left_the_lower_the_rung_and_then_it_waits() -> None:
    got = []
    for free in (NOMINAL.layers[2], NOMINAL.layers[1], NOMINAL.layers[0], NOMINAL.sound, NOMINAL.sound - 1):
        verdict = judge([scope(), node(bps=100 * MBIT - free, max_bps=100 * MBIT)], NOMINAL, may_watch=False)
        got.append((verdict.kind, verdict.layer, verdict.cause))
    assert got == [
        ("accept", WHOLE, None),
        ("rung", 1, "node_mbit"),
        ("rung", 0, "node_mbit"),
        ("rung", SOUND, "node_mbit"),
        ("wait", WHOLE, "node_mbit"),
    ]


def test_the_tighter_of_two_limits_decides() -> None:
    verdict = judge([scope(bps=9 * MBIT, max_bps=10 * MBIT), node(bps=0, max_bps=10 * MBIT)], NOMINAL, may_watch=False)
    assert (verdict.kind, verdict.cause) == ("rung", "lesson_mbit")


def test_the_recording_is_named_to_those_only_who_may_watch_it() -> None:
    assert judge([scope(200)], NOMINAL, may_watch=True).kind == "recording"
    assert judge([scope(200)], NOMINAL, may_watch=False).kind == "wait"


@given(
    receivers=st.integers(0, 400),
    taken=st.integers(0, 300 * MBIT),
    limit=st.sampled_from([0, 1, MBIT, 200 * MBIT]),
    may_watch=st.booleans(),
)
def test_whoever_comes_in_fits_and_every_refusal_has_its_sentences(
    receivers: int, taken: int, limit: int, may_watch: bool
) -> None:
    verdict = judge([scope(receivers, taken, max_bps=limit)], NOMINAL, may_watch=may_watch)
    if verdict.comes_in:
        assert receivers < 200 and (limit == 0 or taken + NOMINAL.of(verdict.layer) <= limit)
    plain = verdict.plain()
    if verdict.kind == "accept":
        assert plain is None
    else:
        assert plain is not None and plain["zh"].endswith("。") and plain["en"].endswith(".")
        assert (plain["seconds"] is None) == verdict.comes_in
        assert verdict.comes_in or all(str(plain["seconds"]) in plain[language] for language in ("zh", "en"))


def encoding(number: int, bitrate_bps: int) -> EncodingStats:
    return {"encoding": number, "bitrate_bps": bitrate_bps}  # type: ignore[typeddict-item]


def test_what_is_on_air_is_priced_as_it_is_measured_and_what_is_off_as_usual() -> None:
    on_air = {"microphone": Publication(1, "microphone", "opus"), "camera": Publication(2, "camera", "VP8")}
    rows: dict[int, PublicationStats] = {
        1: {"publication": 1, "encodings": [encoding(0, 13_000), encoding(1, 32_000)]},
        2: {"publication": 2, "encodings": [encoding(0, 100_000), encoding(1, 0)]},
    }
    costs = costs_of(on_air, rows)  # type: ignore[arg-type]
    assert costs.sound == 52_000
    still_to_come = 52_000 + SCREEN_BPS
    assert costs.layers == (still_to_come + 100_000, still_to_come + CAMERA_BPS[1], still_to_come + CAMERA_BPS[2])


def test_while_the_teacher_s_camera_is_off_a_picture_is_not_free() -> None:
    """Otherwise everybody would be let in whole, and the cap be passed when it comes on."""
    voice = {"microphone": Publication(1, "microphone", "opus")}
    rows: dict[int, PublicationStats] = {1: {"publication": 1, "encodings": [encoding(0, 40_000)]}}
    costs = costs_of(voice, rows)  # type: ignore[arg-type]
    assert costs.layers == NOMINAL.layers
    full = scope(bps=10 * MBIT - costs.sound, max_bps=10 * MBIT)
    assert judge([full], costs, may_watch=False).layer == SOUND


def test_so_many_at_once_then_one_by_one_and_everybody_at_the_told_time() -> None:
    pace = Pace(10)
    waits = [pace.may_enter(seat, 100.0) for seat in range(30)]
    assert waits[:10] == [0.0] * 10 and all(wait > 0 for wait in waits[10:])
    assert waits[10:] == sorted(waits[10:]) and abs(waits[29] - 2.0) < 1e-6
    # Asking again and again neither loses nor moves a turn, and a newcomer is behind all of them.
    assert abs(pace.may_enter(29, 100.2) - 1.8) < 1e-6
    assert pace.may_enter("late", 100.2) > 1.8
    assert [pace.may_enter(seat, 100.0 + waits[seat]) for seat in range(10, 30)] == [0.0] * 20
    assert pace.may_enter(29, 102.0) > 0  # a turn is used once


def test_a_missed_appointment_is_no_claim_for_ever() -> None:
    pace = Pace(1)
    assert pace.may_enter("first", 0.0) == 0
    wait = pace.may_enter("second", 0.0)
    assert pace.may_enter("second", wait + KEPT_S + 1) == 0  # as a newcomer of that moment
    assert pace.may_enter("third", wait + KEPT_S + 1) > 0


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 2)), max_size=200), st.sampled_from([1.0, 5.0, 50.0]))
def test_never_more_than_the_pace_and_appointments_are_bounded(asks: list[tuple[int, float]], per_s: float) -> None:
    pace, now_s, entered = Pace(per_s), 1000.0, 0
    for seat, later_s in asks:
        now_s += later_s
        wait_s = pace.may_enter(seat, now_s)
        entered += wait_s == 0
        assert 0 <= wait_s <= LONGEST_S + 1e-6
    # A turn may be used half a second early, or up to half a minute late.
    assert entered <= per_s * (now_s - 1000.0 + 1 + 0.5 + KEPT_S) + 1
    assert len(pace._appointments) <= MAX_APPOINTMENTS

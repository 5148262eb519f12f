"""The day of one classroom, as its page shows it (PROTOCOL 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from signaling.people.model import Classroom
from signaling.timetable.breaks import breaks, enter_ms
from signaling.timetable.model import Occurrence
from signaling.timetable.policy import Policy

if TYPE_CHECKING:
    from signaling.hub import Hub

State = Literal["planned", "open", "live", "over", "cancelled"]
CLIP_DAYS = 7
SHOWN_POLICY = ("enter_before_s", "check_before_s", "break_min", "data_cap_mb", "clip_window", "clip_budget_mb")


def state_of(hub: Hub, held: Occurrence) -> State:
    """Where a lesson is in its life."""
    now_ms = hub.now_ms()
    if held.cancelled:
        return "cancelled"
    if held.mode == "recorded":
        return "over" if now_ms >= held.end_ms else "live" if now_ms >= held.begin_ms else "planned"
    room = hub.rooms.get(held.id)
    if room is not None:
        return "live" if room.lesson.sources() else "open"
    closed_ms = hub.keeper.closed_ms.get(held.id)
    over = now_ms >= held.end_ms or (closed_ms is not None and held.changed_ms < closed_ms)
    return "over" if over else "planned"


def kiosk_day(hub: Hub, device: Classroom) -> dict[str, Any]:
    """All of it but the time, which changes always."""
    plan = hub.plan
    today, policy = plan.today(), plan.policy_of(device.klass)
    lessons = [o for o in plan.day(today) if device.klass in o.classes]
    school, klass = plan.people.place_of(device)
    clips = plan.clips_from(today, CLIP_DAYS, device.klass)
    return {
        "zone": plan.zone.key,
        "date": today.isoformat(),
        "classroom": {
            "id": device.id,
            "school": school,
            "class": klass,
            "name": device.name,
        },
        "policy": {name: value for name, value in asdict(policy).items() if name in SHOWN_POLICY},
        "lessons": [_lesson(hub, held, policy) for held in lessons],
        "breaks": [{"begin_ms": begin, "end_ms": end} for begin, end in breaks(lessons, policy)],
        "clips": [
            {"recording": clip, "bytes": size, "use_ms": use_ms}
            for clip, use_ms in clips.items()
            if (size := hub.shelf.bytes_of(clip)) is not None
        ],
        "asks": {"check": _to_check(lessons, policy, hub.now_ms()), "rehearsal": hub.rehearsals.asks(device)},
    }


def _lesson(hub: Hub, held: Occurrence, policy: Policy) -> dict[str, Any]:
    state = state_of(hub, held)
    return {
        "id": held.id,
        "subject": held.subject,
        "teacher": hub.plan.teacher_name(held.teacher),
        "begin_ms": held.begin_ms,
        "end_ms": held.end_ms,
        "enter_ms": enter_ms(held, policy),
        "mode": held.mode,
        "state": state,
        "clip": held.clip,
        "missed": hub.shelf.recording_of(held.id) if state == "over" else None,
    }


def _to_check(lessons: Iterable[Occurrence], policy: Policy, now_ms: int) -> str | None:
    """The lesson before which the line is to be looked at now."""
    due = (o for o in lessons if o.begin_ms - policy.check_before_s * 1000 <= now_ms < o.begin_ms)
    return next((o.id for o in due if not o.cancelled and o.mode != "recorded"), None)

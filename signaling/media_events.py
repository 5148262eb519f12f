"""What media tells, to whom it concerns: one task reads the events and hands them to the rooms."""

from __future__ import annotations

import time
from typing import Any

import structlog

from signaling.hub import Hub
from signaling.lesson import Participant
from signaling.room import Room
from signaling.transport import Slot
from streaming.params import MediaEvent, Wanted

log = structlog.get_logger()


async def follow_media(hub: Hub) -> None:
    """Read events until the client is closed; one bad event is logged and never stops the rest."""
    async for event in hub.media.events():
        try:
            await _take(hub, event)
        except Exception:
            log.exception("a media event failed", event_name=event.get("event"))


async def _take(hub: Hub, event: MediaEvent) -> None:
    if hub.checks.take(event):
        return
    match event["event"]:
        case "hello":
            if event["epoch"] != hub.epoch:
                hub.epoch = event["epoch"]
                hub.book.forget()
            await hub.media_hello(event)
        case "lost":
            log.warning("the media process is away")
        case "stats":
            hub.book.take(event)
        case "connected" | "disconnected" | "failed" | "closed":
            await _transport(hub, event)
        case "first_media":
            for room in list(hub.rooms.values()):
                await room.first_media(event["publication"])
        case "rung":
            found = _slot(hub, event["subscription"])
            if found is not None:
                room, participant, slot = found
                room.rung_changed(participant, slot, event)
                if room.lesson.is_looked_through(participant):
                    await room.settle()
        case "wanted":
            wanted: Wanted = {"watched": event["watched"], "recorded": event["recorded"]}
            for room in hub.rooms.values():
                if room.layers_wanted(event["publication"], wanted):
                    break
        case "log":
            found_room = hub.room_of_recording(event["lesson"])
            if found_room is not None:
                found_room.log_grew(event["bytes"], event["error"])


async def _transport(hub: Hub, event: dict[str, Any]) -> None:
    handle = event["transport"]
    for room in list(hub.rooms.values()):
        participant = room.lesson.by_transport(handle)
        if participant is None:
            continue
        if event["event"] == "connected":
            room.transport_connected(participant)
            if participant.transport is not None and participant.transport.offered_s is not None:
                hub.join_seconds.append(time.monotonic() - participant.transport.offered_s)
                participant.transport.offered_s = None
        elif event["event"] == "disconnected":
            # ICE may come back by itself; the page decides with its own eyes.
            if participant.transport is not None:
                participant.transport.connected = False
            room.dirty = True
        else:
            await room.transport_gone(participant, str(event["event"]))
        return


def _slot(hub: Hub, subscription: int) -> tuple[Room, Participant, Slot] | None:
    """Who has this slot. Rungs come in waves: slots are looked up, and listed anew when one is not found."""
    found = hub.slots.get(subscription)
    if found is None or not _has(*found):
        hub.slots = {
            slot.handle: (room, participant, slot)
            for room in hub.rooms.values()
            for participant in room.lesson.participants.values()
            for slot in (participant.transport.slots if participant.transport is not None else ())
        }
        found = hub.slots.get(subscription)
    return found


def _has(room: Room, participant: Participant, slot: Slot) -> bool:
    here = room.lesson.participants.get(participant.session) is participant
    slots = participant.transport.slots if participant.transport is not None else []
    return here and any(one is slot for one in slots)

"""What we attach to objects of the media process, to know them again after a restart of ours (PROTOCOL 5)."""

from __future__ import annotations

from typing import Any, cast

from signaling.auth import Rights
from signaling.lesson import CAPS, Participant
from signaling.messages import Choice
from signaling.transport import Publication, Slot, Transport
from streaming.params import Source, TransportState


def transport_label(participant: Participant, fingerprint: str, ufrag: str) -> dict[str, Any]:
    """Whose association it is, and what its last offer said."""
    rights = participant.rights
    return {
        "session": participant.session,
        "tab": participant.tab,
        "kind": participant.kind,
        "since_ms": participant.since_ms,
        "choice": participant.choice,
        "fingerprint": fingerprint,
        "ufrag": ufrag,
        "sub": rights.sub,
        "name": rights.name,
        "role": rights.role,
        "room": rights.room,
        "expires_s": rights.expires_s,
        "publish": sorted(rights.publish),
        "subscribe": rights.subscribe,
        "admin": rights.admin,
        "list_rooms": rights.list_rooms,
        "tile": participant.tile,
        "browser": participant.browser,
    }


def slot_label(slot: Slot) -> dict[str, Any]:
    """Where a slot stands in its page."""
    return {
        "mid": slot.mid,
        "kind": slot.kind,
        "place": slot.place,
        "ssrc": slot.ssrc,
        "rtx_ssrc": slot.rtx_ssrc,
        "carries": slot.carries,
    }


def publication_label(codec: str) -> dict[str, Any]:
    """What a publication is coded as."""
    return {"codec": codec}


def adopted(state: TransportState) -> Participant:
    """The participant of a standing association; raises `KeyError` or `TypeError` for a label that is not ours."""
    label = state["label"]
    rights = Rights(
        sub=label["sub"],
        name=label["name"],
        role=label["role"],
        room=label["room"],
        expires_s=label["expires_s"],
        join=True,
        admin=label["admin"],
        list_rooms=label["list_rooms"],
        publish=frozenset(cast("list[Source]", label["publish"])),
        subscribe=label["subscribe"],
    )
    choice: Choice = label["choice"]
    return Participant(
        session=label["session"],
        rights=rights,
        tab=label["tab"],
        kind=label["kind"],
        since_ms=label["since_ms"],
        online=label["kind"] != "page",
        choice=choice,
        transport=_transport(state, label, choice),
        tile=label["tile"],
        browser=label["browser"],
    )


def _transport(state: TransportState, label: dict[str, Any], choice: Choice) -> Transport:
    # Media flowed before we went away, as far as we know: publications count as active until the page says otherwise.
    publications = {
        row["source"]: Publication(
            row["publication"],
            row["source"],
            row["label"]["codec"],
            active=True,
            wanted=row["wanted"],
            granted=row["granted"],
        )
        for row in state["publications"]
    }
    slots = [
        Slot(
            handle=row["subscription"],
            publication=row["publication"],
            capped=(row["cap"], CAPS[choice][1]),
            **row["label"],
        )
        for row in state["subscriptions"]
    ]
    return Transport(
        handle=state["transport"],
        fingerprint=label["fingerprint"],
        ufrag=label["ufrag"],
        connected=state["connected"],
        publications=publications,
        slots=slots,
    )

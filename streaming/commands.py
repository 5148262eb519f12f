"""The commands of PROTOCOL section 5, done: checked against the model, posted to the core."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bandwidth.columns import NO_TRANSPORT
from streaming.model import TOP_SPATIAL, Lesson, Model, Publication, Subscription, Transport
from streaming.params import Source

if TYPE_CHECKING:
    from streaming._core import Core, LocalTransport, RtpParameters, TransportParams

SOURCES = ("microphone", "camera", "screen")
MAX_PLAY_OUT_MS = 10_000  # browsers keep a play-out buffer to this


class Commands:
    """One method a command, its parameters the command's fields; `now_us` reads the monotonic clock."""

    def __init__(self, core: Core, model: Model, epoch: str, now_us: Callable[[], int]) -> None:
        self._core = core
        self._model = model
        self._epoch = epoch
        self._now_us = now_us
        self._table: Mapping[str, Callable[..., Any]] = {
            "open_lesson": self.open_lesson,
            "close_lesson": self.close_lesson,
            "open_transport": self.open_transport,
            "restart_ice": self.restart_ice,
            "add_publication": self.add_publication,
            "grant": self.grant,
            "show_stills": self.show_stills,
            "add_player": self.add_player,
            "add_subscription": self.add_subscription,
            "connect": self.connect,
            "cap": self.cap,
            "play_out": self.play_out,
            "remove": self.remove,
            "mark": self.mark,
            "put_still": self.put_still,
        }

    def do(self, name: str, fields: dict[str, Any]) -> Any:
        """Run one command; the `ok` of its answer. Wrong names and fields raise `ValueError`."""
        command = self._table.get(name)
        if command is None:
            raise ValueError(f"no command {name!r}; there are {', '.join(self._table)}")
        try:
            return command(**fields)
        except TypeError as error:
            raise ValueError(f"{name}: {error}") from error

    def open_lesson(self, lesson: str, log_dir: str | None, label: Any = None) -> dict[str, Any]:
        """Start a lesson and its log, or find it running."""
        known = self._model.lessons.get(lesson)
        if known is None:
            path = self._fresh_directory(Path(log_dir)) if log_dir is not None else None
            handle = self._core.open_lesson(path)
            known = Lesson(lesson, handle, path, label)
            self._model.add_lesson(known)
            self._event(known, "lesson_opened")
        return {"log_dir": known.log_dir}

    def _event(self, lesson: Lesson, event: str) -> None:
        self._core.log_event(lesson.handle, json.dumps({"event": event}).encode())

    def _fresh_directory(self, parent: Path) -> str:
        """A lesson that is opened again in one run of this process gets a directory of its own."""
        path, count = parent / self._epoch, 1
        while path.exists():
            count += 1
            path = parent / f"{self._epoch}-{count}"
        return str(path)

    def close_lesson(self, lesson: str) -> dict[str, Any]:
        """Close its transports and seal its log."""
        known = self._model.lessons.get(lesson)
        if known is not None:
            self._event(known, "lesson_closed")
            self._core.close_lesson(known.handle)
            self._model.forget_lesson(known)
        return {}

    def open_transport(
        self,
        lesson: str,
        params: TransportParams,
        label: Any = None,
        replaces: int | None = None,
        link: str | None = None,
    ) -> LocalTransport:
        """Make an association; the one that it replaces goes first. `link` is the peer's, over all of them."""
        known = self._model.lesson(lesson)
        if replaces is not None:
            self.remove(replaces)
        local = self._core.open_transport(known.handle, params)
        stills = params.get("stills", "none")
        self._model.add_transport(Transport(local["transport"], known, label, link=link, stills=stills))
        return local

    def restart_ice(self, transport: int, ufrag: str, pwd: str) -> LocalTransport:
        """New credentials for a living association."""
        return self._core.restart_ice(self._model.transport(transport).handle, ufrag, pwd)

    def add_publication(
        self,
        transport: int,
        rtp: RtpParameters,
        source: Source,
        label: Any = None,
        granted: bool = True,
        recorded: bool = True,
    ) -> dict[str, Any]:
        """Media that a transport will send; recorded when it may be and its lesson has a log."""
        owner = self._model.transport(transport)
        if source not in SOURCES:
            raise ValueError(f"source is {source!r}, must be one of {', '.join(SOURCES)}")
        handle = self._core.add_publication(transport, rtp, granted=granted)
        publication = Publication(
            handle, owner.lesson, source, label, granted, recorded, of_classroom=owner.stills == "to_peer"
        )
        self._model.add_publication(owner, publication)
        if publication.in_log:
            self._tap(owner, publication, rtp)
        return {"handle": handle}

    def grant(self, publication: int, on: bool) -> dict[str, Any]:
        """Its packets pass, or end at the door."""
        found = self._model.publication(publication)
        if not isinstance(on, bool):
            raise ValueError(f"on is {on!r}, must be true or false")
        self._core.grant(found.handle, on)
        self._model.grant(found, on)
        return {}

    def show_stills(self, transport: int, of: list[tuple[int, int]]) -> dict[str, Any]:
        """This end gets the own stills of these transports, and no others any more; who is gone is left out."""
        owner = self._model.transport(transport)
        shows = {int(handle): int(tile) for handle, tile in of}
        standing = {handle: tile for handle, tile in shows.items() if handle in self._model.transports}
        self._core.show_stills(owner.handle, list(standing.items()))
        owner.shows = standing
        return {}

    def _tap(self, owner: Transport, publication: Publication, rtp: RtpParameters) -> None:
        owner.lesson.tracks += 1
        media = [codec for codec in rtp["codecs"] if codec["codec"] != "rtx"]
        header = {
            "source": publication.source,
            # Tracks of one association share its sender's clock.
            "participant": str(owner.handle),
            "kind": rtp["kind"],
            "codecs": [{name: codec[name] for name in ("pt", "codec", "clock_rate")} for codec in media],
            "ssrc": 0,
            "audio_level": rtp["extensions"].get("audio_level"),
        }
        self._core.add_tap(publication.handle, owner.lesson.tracks, json.dumps(header).encode())

    def add_player(
        self, lesson: str, paths: list[str], rtp: RtpParameters, loop_us: int, source: Source
    ) -> dict[str, Any]:
        """A publication of ours that plays track files, repeated every `loop_us`; it ends with its lesson."""
        known = self._model.lesson(lesson)
        if source not in SOURCES:
            raise ValueError(f"source is {source!r}, must be one of {', '.join(SOURCES)}")
        handle = self._core.add_player(known.handle, paths, rtp, loop_us)
        self._model.add_player(Publication(handle, known, source, None))
        return {"handle": handle}

    def add_subscription(self, transport: int, rtp: RtpParameters, label: Any = None) -> dict[str, Any]:
        """A slot of a transport."""
        owner = self._model.transport(transport)
        handle = self._core.add_subscription(transport, rtp)
        self._model.add_subscription(owner, Subscription(handle, transport, rtp["kind"], label))
        return {"handle": handle}

    def connect(self, subscription: int, publication: int | None) -> dict[str, Any]:
        """Point a slot at a publication or at nothing."""
        slot = self._model.subscription(subscription)
        found = self._model.publication(publication) if publication is not None else None
        if slot.kind == "video" and found is not slot.publication:
            # A weak link must not begin with the best layer's key frame; the control loop climbs from here.
            self._apply_layer(subscription, min(0, slot.cap))
        self._core.connect(subscription, publication)
        self._model.connect(slot, found)
        return {}

    def _apply_layer(self, subscription: int, spatial: int) -> None:
        one, layer = np.array([subscription], dtype=np.uint32), np.array([spatial], dtype=np.int8)
        self._core.apply(one, layer, np.array([-1], dtype=np.int8), *NO_TRANSPORT)

    def cap(self, subscription: int, spatial: int, fixed: bool = False) -> dict[str, Any]:
        """The highest layer that a slot may get."""
        slot = self._model.subscription(subscription)
        if not isinstance(spatial, int) or not -1 <= spatial <= TOP_SPATIAL:
            raise ValueError(f"spatial is {spatial!r}, must be -1 to {TOP_SPATIAL}")
        back = slot.cap < 0 <= spatial  # a picture that was hidden comes back without a long look at the link
        self._model.choose(slot, spatial, self._now_us() if fixed or back else -1)
        if (fixed or back) and slot.publication is not None:
            # The next decision agrees; the key frame is asked for now.
            self._apply_layer(subscription, spatial if fixed else 0)
        return {}

    def play_out(self, transport: int, target_ms: int) -> dict[str, Any]:
        """How deep the play-out buffer at the other end is."""
        owner = self._model.transport(transport)
        if not isinstance(target_ms, int) or not 0 <= target_ms <= MAX_PLAY_OUT_MS:
            raise ValueError(f"target_ms is {target_ms!r}, must be 0 to {MAX_PLAY_OUT_MS}")
        self._model.play_out(owner, target_ms)
        return {}

    def remove(self, handle: int) -> dict[str, Any]:
        """Remove a transport, publication or subscription."""
        self._core.remove(handle)
        self._model.forget(handle)
        return {}

    def mark(self, lesson: str, body: dict[str, Any]) -> dict[str, Any]:
        """An EVENT record; a teacher's mark asks for key frames too, since a clip may begin there."""
        known = self._model.lesson(lesson)
        self._core.log_event(known.handle, json.dumps(body, ensure_ascii=False).encode())
        if body.get("event") == "marker":
            for transport in known.transports.values():
                for publication in transport.publications.values():
                    if publication.in_log and publication.source in ("camera", "screen"):
                        self._core.request_keyframe(publication.handle)
        return {}

    def put_still(self, lesson: str, source: str, format: str, width: int, height: int, data: str) -> dict[str, Any]:
        """A picture that comes from no page."""
        file = base64.b64decode(data, validate=True)
        return {"hash": self._core.put_still(self._model.lesson(lesson).handle, source, format, width, height, file)}

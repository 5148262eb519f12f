"""What stands in the media process, as its owners named it: lessons, transports, publications, subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from streaming.errors import NoSuchObject
from streaming.params import Label, LessonState, Source, Wanted

Key = TypeVar("Key")
Found = TypeVar("Found")
# The best layer that anybody can ask for.
TOP_SPATIAL = 2


@dataclass
class Publication:
    """Media that a transport sends to us, or that we play from files."""

    handle: int
    lesson: Lesson
    source: Source
    label: Label
    granted: bool = True  # its packets pass
    recorded: bool = True  # goes into its lesson's log, where there is one
    of_classroom: bool = False  # it comes from a page that receives
    wanted: Wanted | None = None  # what its sender was told; None: nothing yet, all encodings run

    @property
    def in_log(self) -> bool:
        """Whether a recording is made of it."""
        return self.recorded and self.lesson.log_dir is not None


@dataclass
class Subscription:
    """A slot of a transport, and what its classroom wants in it."""

    handle: int
    transport: int
    kind: str
    label: Label
    publication: Publication | None = None
    cap: int = TOP_SPATIAL
    chosen_us: int = -1  # when a fixed choice was made; -1: automatic


@dataclass
class Transport:
    """One association."""

    handle: int
    lesson: Lesson
    label: Label
    connected: bool = False
    link: str | None = None  # names the classroom's way to us, over all its transports
    stills: str = "none"  # which way slide pictures go
    play_out_ms: int = 0  # depth of the play-out buffer at the other end; 0: not told
    shows: dict[int, int] = field(default_factory=dict)  # transports whose own stills it gets -> tile
    publications: dict[int, Publication] = field(default_factory=dict)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)


@dataclass
class Lesson:
    """One lesson; `tracks` counts the log's tracks, which are never used again."""

    id: str
    handle: int
    log_dir: str | None
    label: Label
    transports: dict[int, Transport] = field(default_factory=dict)
    players: list[int] = field(default_factory=list)
    tracks: int = 0


class Model:
    """All that stands."""

    def __init__(self) -> None:
        self.lessons: dict[str, Lesson] = {}
        self.transports: dict[int, Transport] = {}
        self.publications: dict[int, Publication] = {}
        self.subscriptions: dict[int, Subscription] = {}
        self.version = 0  # grows when somebody comes, goes or chooses
        self.lesson_ids: dict[int, str] = {}  # by the core's handle, until the log is sealed

    def lesson(self, id: str) -> Lesson:
        """The lesson of this id, or `NoSuchObject`."""
        return _find(self.lessons, id, "lesson")

    def transport(self, handle: int) -> Transport:
        """The transport of this handle, or `NoSuchObject`."""
        return _find(self.transports, handle, "transport")

    def publication(self, handle: int) -> Publication:
        """The publication of this handle, or `NoSuchObject`."""
        return _find(self.publications, handle, "publication")

    def subscription(self, handle: int) -> Subscription:
        """The subscription of this handle, or `NoSuchObject`."""
        return _find(self.subscriptions, handle, "subscription")

    def add_lesson(self, lesson: Lesson) -> None:
        """It stands now."""
        self.lessons[lesson.id] = lesson
        self.lesson_ids[lesson.handle] = lesson.id

    def add_transport(self, transport: Transport) -> None:
        """It stands now."""
        self.version += 1
        self.transports[transport.handle] = transport
        transport.lesson.transports[transport.handle] = transport

    def add_publication(self, transport: Transport, publication: Publication) -> None:
        """It stands now."""
        self.version += 1
        self.publications[publication.handle] = publication
        transport.publications[publication.handle] = publication

    def grant(self, publication: Publication, on: bool) -> None:
        """Its packets pass, or do not."""
        self.version += 1
        publication.granted = on

    def add_player(self, publication: Publication) -> None:
        """It stands now, and belongs to no transport."""
        self.version += 1
        self.publications[publication.handle] = publication
        publication.lesson.players.append(publication.handle)

    def add_subscription(self, transport: Transport, subscription: Subscription) -> None:
        """It stands now."""
        self.version += 1
        self.subscriptions[subscription.handle] = subscription
        transport.subscriptions[subscription.handle] = subscription

    def connect(self, subscription: Subscription, publication: Publication | None) -> None:
        """The slot carries this now."""
        self.version += 1
        subscription.publication = publication

    def choose(self, subscription: Subscription, cap: int, chosen_us: int) -> None:
        """The classroom wants this layer at most."""
        self.version += 1
        subscription.cap, subscription.chosen_us = cap, chosen_us

    def play_out(self, transport: Transport, target_ms: int) -> None:
        """The other end buffers this much."""
        self.version += 1
        transport.play_out_ms = target_ms

    def forget(self, handle: int) -> None:
        """It is gone, with all that hangs on it; unknown handles are gone already."""
        self.version += 1
        transport = self.transports.pop(handle, None)
        if transport is not None:
            transport.lesson.transports.pop(handle, None)
            for other in transport.lesson.transports.values():
                other.shows.pop(handle, None)
            for child in [*transport.publications, *transport.subscriptions]:
                self.forget(child)
        publication = self.publications.pop(handle, None)
        if publication is not None:
            for subscription in self.subscriptions.values():
                if subscription.publication is publication:
                    subscription.publication = None
            for owner in publication.lesson.transports.values():
                owner.publications.pop(handle, None)
        slot = self.subscriptions.pop(handle, None)
        if slot is not None and slot.transport in self.transports:
            self.transports[slot.transport].subscriptions.pop(handle, None)

    def forget_lesson(self, lesson: Lesson) -> None:
        """It is closed, with its transports."""
        for handle in [*lesson.transports, *lesson.players]:
            self.forget(handle)
        self.lessons.pop(lesson.id, None)
        if lesson.log_dir is None:
            self.lesson_ids.pop(lesson.handle, None)

    def state(self) -> list[LessonState]:
        """What `hello` tells."""
        return [
            {
                "lesson": lesson.id,
                "log_dir": lesson.log_dir,
                "label": lesson.label,
                "transports": [
                    {
                        "transport": transport.handle,
                        "connected": transport.connected,
                        "label": transport.label,
                        "stills": transport.stills,
                        "shows": list(transport.shows.items()),
                        "publications": [
                            {
                                "publication": one.handle,
                                "source": one.source,
                                "label": one.label,
                                "granted": one.granted,
                                "recorded": one.recorded,
                                "wanted": one.wanted,
                            }
                            for one in transport.publications.values()
                        ],
                        "subscriptions": [
                            {
                                "subscription": one.handle,
                                "publication": one.publication.handle if one.publication else None,
                                "cap": one.cap,
                                "label": one.label,
                            }
                            for one in transport.subscriptions.values()
                        ],
                    }
                    for transport in lesson.transports.values()
                ],
            }
            for lesson in self.lessons.values()
        ]


def _find(table: Mapping[Key, Found], key: Key, kind: str) -> Found:
    found = table.get(key)
    if found is None:
        raise NoSuchObject(f"no {kind} {key}")
    return found

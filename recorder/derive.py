"""One lesson from its logs into the library: load, lay on the timeline, write the files, check them, publish.

The voice goes into exactly one file: the camera's, else the screen's, else one of its own.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from recorder import check, library
from recorder.clips.marks import Mark, private_spans, read_event
from recorder.clips.spans import Span
from recorder.library import Chapter, GapEntry, Manifest, TrackEntry
from recorder.mux import Written, write_media
from recorder.packets import Track, load_epoch
from recorder.sources import Picture, Sound, codecs_of, pictures, sounds
from recorder.timeline import Gap, Timeline, joined, lesson_timeline
from recorder.zwl import Kind, ZwlReader

# MP4 is written twice on its way to a fast start, and others write as well.
_SPARE_BYTES = 64 << 20

VIDEO_SOURCES = ("camera", "screen")
# In thirtieths of the file: the first that may be shown.
_POSTER_AT = (10, 15, 20, 5, 25, 1)


@dataclass(frozen=True)
class Order:
    """What to derive: the lesson's folder of logs, the epochs of it, and what is known about the lesson."""

    recording: Path
    library: Path
    lesson: str
    title: str
    teacher: str
    state: str
    epochs: tuple[str, ...]
    digest: str
    # Sources that killed an earlier attempt.
    skip: tuple[str, ...] = ()


class _Files:
    """The files made so far, and what is missing in them."""

    def __init__(self, order: Order, timeline: Timeline, work: Path, tell: Callable[[str], None]) -> None:
        self._order, self._timeline, self._work, self._tell = (
            order,
            timeline,
            work,
            tell,
        )
        self.tracks: list[TrackEntry] = []
        self.written: list[Written] = []
        self.gaps: list[Gap] = []
        self.voice_in: str | None = None

    def make_all(self) -> None:
        """Camera, screen and, where neither could take it, the voice alone."""
        codecs = {source: codecs_of(self._timeline, source) for source in VIDEO_SOURCES}
        has_voice = "microphone" in self._timeline.spans
        for source in VIDEO_SOURCES:
            for codec in codecs[source]:
                # A source in two codecs is two files; neither has the whole lesson to carry the voice through.
                with_voice = has_voice and self.voice_in is None and len(codecs[source]) == 1
                if self._make(source, codec, with_voice) and with_voice:
                    self.voice_in = source
        if has_voice and self.voice_in is None and self._make("microphone", None, True):
            self.voice_in = "microphone"

    def _make(self, source: str, codec: str | None, with_voice: bool) -> bool:
        if source in self._order.skip:
            self.gaps.append(self._whole(source, "unreadable"))
            return False
        self._tell(source)
        gaps: list[Gap] = []
        video = pictures(self._timeline, source, codec, gaps) if codec else iter(())
        written, problem = self._write(codec, video, sounds(self._timeline, gaps) if with_voice else None)
        if written is None or problem is not None:
            if problem is not None:
                self.gaps.append(self._whole(source, "unreadable"))
            return False
        name, size, digest = library.keep(self._order.library, self._work / f"media.{written.suffix}", written.suffix)
        self.tracks.append(_entry(source, written, name, size, digest))
        self.written.append(written)
        self.gaps += gaps
        return True

    def _write(
        self, codec: str | None, video: Iterator[Picture], voice: Iterator[Sound] | None
    ) -> tuple[Written | None, str | None]:
        """What was written, if anything, and why it is of no use, if so."""
        try:
            written = write_media(self._work, codec, video, voice)
        except (av.FFmpegError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            return None, str(error)
        problem = check.unplayable(self._work / f"media.{written.suffix}") if written else None
        return written, problem

    def _whole(self, source: str, reason: str) -> Gap:
        spans = self._timeline.spans[source]
        ends = [self._timeline.times(span, span.track.ts[-1:])[0] for span in spans]
        return Gap(source, spans[0].first_us, int(max(ends)), reason)


def derive(order: Order, tell: Callable[[str], None] = lambda _: None) -> Manifest | None:
    """Publish the lesson; `None` when its logs hold no media. `tell` hears which source is being made.

    Raises `BlockingIOError` when another process works on it or has just done so, `OSError` when the disk is full
    and `RuntimeError` when no file could be made; the version that was published before stays.
    """
    tracks = [t for epoch in order.epochs for t in _load(order.recording / epoch)]
    timeline = lesson_timeline(tracks)
    if timeline is None:
        return None
    _require_room(order)
    with library.workshop(order.library) as work:
        published = library.read_manifest(order.library) or {}
        if (published.get("input") or {}).get("digest") == order.digest:
            raise BlockingIOError("another process has just published this lesson")
        files = _Files(order, timeline, work, tell)
        files.make_all()
        if not files.tracks:
            raise RuntimeError("no file could be made of this lesson")
        end_s = max(written.end_us for written in files.written) / 1e6
        private = private_spans(_marks(order, timeline), end_s)
        manifest = _manifest(order, timeline, files, _poster(order, files, work, private))
        library.publish(order.library, work, manifest)
    return manifest


def _require_room(order: Order) -> None:
    """A half-written file must not look like unreadable media: without room nothing is begun."""
    need = sum(f.stat().st_size for e in order.epochs for f in (order.recording / e).glob("*.zwl")) + _SPARE_BYTES
    order.library.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(order.library.parent).free < need:
        raise OSError(errno.ENOSPC, "no room to make the files of this lesson", str(order.library))


def _load(epoch: Path) -> list[Track]:
    return load_epoch(epoch) if epoch.is_dir() else []


def _entry(source: str, written: Written, name: str, size: int, digest: str) -> TrackEntry:
    return TrackEntry(
        source=source,
        file=name,
        mime=written.mime,
        bytes=size,
        sha256=digest,
        start_s=_seconds(written.start_us),
        end_s=_seconds(written.end_us),
        width=written.width,
        height=written.height,
        codec=written.codec,
    )


def _manifest(order: Order, timeline: Timeline, files: _Files, poster: str | None) -> Manifest:
    before = library.read_manifest(order.library) or {}
    gaps = [GapEntry(g.source, _seconds(g.start_us), _seconds(g.end_us), g.reason) for g in joined(files.gaps)]
    return Manifest(
        id=order.lesson,
        title=order.title,
        teacher=order.teacher,
        state=order.state,
        started_ms=timeline.zero_us // 1000,
        duration_s=_seconds(max(w.end_us for w in files.written)),
        version=int(before.get("version", 0)) + 1,
        tracks=files.tracks,
        voice_in=files.voice_in,
        gaps=gaps,
        chapters=list(_chapters(order, timeline)),
        poster=poster,
        input={"digest": order.digest},
    )


def _chapters(order: Order, timeline: Timeline) -> Iterable[Chapter]:
    """Where the teacher said that something begins."""
    count = 0
    for mark in _marks(order, timeline):
        if mark.name in ("begin", "point"):
            count += 1
            yield Chapter(mark.title or f"{count}", _seconds(round(mark.at_s * 1e6)))


def _marks(order: Order, timeline: Timeline) -> Iterable[Mark]:
    """The teacher's markers, from the event tracks."""
    for epoch in order.epochs:
        for path in sorted((order.recording / epoch).glob("00000-*.zwl")):
            for record in ZwlReader(path).read():
                said = read_event(record.body) if record.kind == Kind.EVENT else None
                if said is not None and said.mark is not None:
                    at_us = timeline.place(np.array([record.arrival_us], np.int64))[0]
                    yield Mark(max(0.0, float(at_us) / 1e6), said.mark, said.on, said.title)


def _poster(order: Order, files: _Files, work: Path, private: Sequence[Span]) -> str | None:
    """A still of the slides, else of the teacher, from a third into the file or from later on; never a private one."""
    by_source = {track.source: (track, written) for track, written in zip(files.tracks, files.written, strict=True)}
    for source in ("screen", "camera"):
        if source not in by_source:
            continue
        track, written = by_source[source]
        length_us = written.end_us - written.start_us
        moments = (written.start_us + length_us * tenth // 30 for tenth in _POSTER_AT)
        stills = (check.poster(order.library / track.file, at_us, private) for at_us in moments)
        data = next((still for still in stills if still), None)
        if data:
            path = work / "poster.jpg"
            path.write_bytes(data)
            return library.keep(order.library, path, "jpg")[0]
    return None


def _seconds(us: int) -> float:
    return round(us / 1_000_000, 3)

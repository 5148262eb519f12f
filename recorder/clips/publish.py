"""The files of one clip: picture and voice of each source, chapters as WebVTT, and a sidecar (docs/clips.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av

from recorder import check, library
from recorder.clips.cut import cut_of, write_clip
from recorder.clips.spans import Span, overlap_s
from recorder.clips.store import TEXTS, Clip
from recorder.mux import sync_file

PICTURES = ("camera", "screen")


class Uncuttable(Exception):
    """The clip's files cannot be made; the text says why."""


def make_files(
    folder: Path, manifest: dict[str, Any], clip: Clip, private: list[Span], by: str, at_ms: int
) -> list[dict[str, Any]]:
    """Cut and keep all files of a clip; raises `Uncuttable`, and `BlockingIOError` while the lesson is being made."""
    with library.workshop(folder) as work:
        try:
            media = _media(folder, manifest, clip, private, work)
        except (ValueError, av.FFmpegError) as error:
            raise Uncuttable(str(error)) from error
        if not media:
            raise Uncuttable("within this time the lesson has neither picture nor voice")
        chapters = _text_file(folder, work, "vtt", webvtt(clip))
        sidecar = sidecar_of(manifest, clip, [*media, {"role": "chapters", **chapters}], by, at_ms)
        text = json.dumps(sidecar, ensure_ascii=False, indent=1)
        rest = [{"role": "chapters", **chapters}, {"role": "sidecar", **_text_file(folder, work, "json", text)}]
        return [*media, *rest]


def _media(folder: Path, manifest: dict[str, Any], clip: Clip, private: list[Span], work: Path) -> list[dict[str, Any]]:
    cut = cut_of(clip.span, private)
    voice = _track(manifest, manifest.get("voice_in"), clip)
    sources = [s for s in PICTURES if _track(manifest, s, clip) is not None] or ["voice"]
    out = []
    for source in sources:
        picture = _track(manifest, source, clip)
        suffix = "mp4" if picture is not None and picture["codec"] == "H264" else "webm"
        path = work / f"clip.{suffix}"
        seen, heard = (folder / track["file"] if track is not None else None for track in (picture, voice))
        if not write_clip(path, cut, seen, heard, clip.chapters):
            continue
        problem = check.unplayable(path)
        if problem is not None:
            raise Uncuttable(f"{source}: {problem}")
        name, size, digest = library.keep(folder, path, suffix)
        size_of = {"width": picture["width"], "height": picture["height"]} if picture is not None else {}
        mime = _mime(picture, voice, suffix)
        out.append({"role": source, "file": name, "mime": mime, "bytes": size, "sha256": digest, **size_of})
    return out


def _track(manifest: dict[str, Any], source: str | None, clip: Clip) -> dict[str, Any] | None:
    """The file of that source that has most of the clip."""
    mine = [t for t in manifest["tracks"] if t["source"] == source]
    best = max(mine, key=lambda t: overlap_s(clip.span, [(t["start_s"], t["end_s"])]), default=None)
    # A still screen sends nothing more: its last picture stands on.
    return best if best is not None and best["start_s"] < clip.end_s else None


def _mime(picture: dict[str, Any] | None, voice: dict[str, Any] | None, suffix: str) -> str:
    """The media type with its codecs."""
    names = [] if picture is None else [picture["mime"].partition('codecs="')[2].partition(",")[0].rstrip('"')]
    names += ["opus"] if voice is not None else []
    return f'{"video" if picture is not None else "audio"}/{suffix}; codecs="{",".join(names)}"'


def _text_file(folder: Path, work: Path, suffix: str, text: str) -> dict[str, Any]:
    path = work / f"clip.{suffix}"
    path.write_text(text, encoding="utf-8")
    sync_file(path)
    name, size, digest = library.keep(folder, path, suffix)
    mime = {"vtt": "text/vtt", "json": "application/json"}[suffix]
    return {"file": name, "mime": mime, "bytes": size, "sha256": digest}


def webvtt(clip: Clip) -> str:
    """The chapters as WebVTT (W3C WebVTT 1, chapters)."""
    length_s = clip.end_s - clip.start_s
    starts = [row["start_s"] for row in clip.chapters]
    cues = [
        f"{_clock(start)} --> {_clock(end)}\n{_escaped(row['title'])}\n"
        for row, start, end in zip(clip.chapters, starts, [*starts[1:], length_s], strict=True)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _escaped(title: str) -> str:
    return title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _clock(at_s: float) -> str:
    ms = round(at_s * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def sidecar_of(
    manifest: dict[str, Any], clip: Clip, files: list[dict[str, Any]], by: str, at_ms: int
) -> dict[str, Any]:
    """What the clip is, for catalogues; the mapping to LOM and CELTS-42 is in docs/clips.md."""
    value: dict[str, Any] = {
        "id": f"{manifest['id']}/{clip.number}",
        "lesson": manifest["id"],
        "version": sum(1 for note in clip.history if note["what"] == "publishing"),
        "resource_type": "微课",
        "language": "zh",
        "teacher": manifest.get("teacher", ""),
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "duration_s": round(clip.end_s - clip.start_s, 3),
        "keywords": [row["title"] for row in clip.chapters[1:]],
        "chapters": clip.chapters,
        "published_by": by,
        "published_ms": at_ms,
        "gaps": [g for g in manifest.get("gaps", []) if overlap_s(clip.span, [(g["start_s"], g["end_s"])]) > 0],
        "files": files,
    }
    value |= {name: getattr(clip, name) for name in TEXTS}
    return {name: item for name, item in value.items() if item not in ("", [], None)}

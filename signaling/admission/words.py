"""The sentences of verdicts, Chinese and English: what is, and what happens next."""

from __future__ import annotations

WHY = {
    "lesson_receivers": ("课堂名额已满", "The lesson is full"),
    "node_receivers": ("服务器名额已满", "The server is full"),
    "lesson_mbit": ("课堂的带宽已用满", "The lesson's bandwidth is used up"),
    "node_mbit": ("服务器的带宽已用满", "The server's bandwidth is used up"),
    "pace": ("很多教室正在同时进入", "Many classrooms are coming in at this moment"),
}
LESS = {
    -1: ("先听声音、看课件；有空余时画面会自动出现", "sound and slides come first; pictures follow by themselves"),
    0: ("先看小画面；有空余时会自动变清晰", "the picture is small at first and gets better by itself"),
    1: ("先看中等画面；有空余时会自动变清晰", "the picture is medium at first and gets better by itself"),
}


def sentences(kind: str, cause: str | None, layer: int, seconds: int | None) -> tuple[str, str]:
    """Chinese and English."""
    zh, en = WHY[cause or "pace"]
    if kind == "rung":
        return f"{zh}，{LESS[layer][0]}。", f"{en}: {LESS[layer][1]}."
    if kind == "recording":
        zh_next = f"课后可以看录像；每 {seconds} 秒会自动再试一次。"
        return (
            f"{zh}，{zh_next}",
            f"{en}. You can watch the recording afterwards; this page tries again every {seconds} s.",
        )
    return (
        f"{zh}，{seconds} 秒后自动进入或再试，请不要关闭本页。",
        f"{en}. This page tries again in {seconds} s; leave it open.",
    )

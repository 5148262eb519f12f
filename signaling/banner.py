"""What `zhuandi serve` prints when it is ready: at most 12 lines, in the user's language."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from signaling.auth import Rights, classroom_rights, mint, operator_rights, teacher_rights
from signaling.config import Config
from signaling.hub import DEMO

LINK_S = 30 * 86400
Words = dict[str, str]
CHINESE: Words = {
    "title": "专递已启动。证书由本机签发, 其他电脑首次使用请先打开 {trust}",
    "demo": "先看这里, 演示课堂",
    "teacher": "主讲教师",
    "operator": "运维与巡课",
    "library": "课程库",
    "data": "数据目录: {data}",
    "stop": "按 Ctrl+C 停止。",
    "classroom_name": "演示教室",
    "teacher_name": "主讲教师",
    "operator_name": "管理员",
}
ENGLISH: Words = {
    "title": "Zhuandi is running. Its certificate is its own: on other machines open {trust} first",
    "demo": "Open this first: a classroom in the demo lesson",
    "teacher": "Teacher",
    "operator": "Operator",
    "library": "Library",
    "data": "Data folder: {data}",
    "stop": "Press Ctrl+C to stop.",
    "classroom_name": "Demo classroom",
    "teacher_name": "Teacher",
    "operator_name": "Operator",
}


def user_language() -> str:
    """`en` when the environment says so, Chinese otherwise."""
    setting = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if setting.lower().startswith("en") else "zh"


@dataclass(frozen=True)
class Banner:
    """The links, with their tokens in the fragment (which browsers never send)."""

    config: Config
    addresses: list[str]
    ports: dict[str, int]
    key: tuple[str, str]
    language: str

    def lines(self, now_s: float) -> list[str]:
        """All lines; links carry tokens for 30 days and the address that other machines reach."""
        words = ENGLISH if self.language == "en" else CHINESE
        expires_s = int(now_s) + LINK_S
        host = f"[{self.addresses[0]}]" if ":" in self.addresses[0] else self.addresses[0]
        operator = operator_rights("operator", words["operator_name"], expires_s)
        links: list[tuple[str, str, Rights]] = [
            (words["teacher"], "teacher", teacher_rights("teacher", words["teacher_name"], None, expires_s)),
            (words["operator"], "operator", operator),
            (words["library"], "library", replace(operator, admin=False, create=False, list_rooms=False)),
        ]
        if self.config.demo.enabled:
            classroom = classroom_rights("demo-classroom", words["classroom_name"], DEMO, expires_s)
            links.insert(0, (words["demo"], "classroom", classroom))
        lines = [words["title"].format(trust=f"http://{host}:{self.ports['http']}/trust")]
        for label, page, rights in links:
            token = mint(rights, self.key, now_s)
            lines.append(f"{label}: https://{host}:{self.ports['https']}/{page}#token={token}")
        lines.append(words["data"].format(data=self.config.data_dir))
        lines.append(words["stop"])
        return lines

"""What `zhuandi serve` prints when it is ready: at most 12 lines, in the user's language."""

from __future__ import annotations

import os
from dataclasses import dataclass

from signaling.addresses import reachable_host
from signaling.config import Config
from signaling.links import PAGES, Page, link_key

Words = dict[str, str]
CHINESE: Words = {
    "title": "专递已启动。证书由本机签发，其他电脑首次使用请先打开 {trust}",
    "classroom": "先看这里，演示课堂",
    "weak": "同一课堂，弱网教室（{link}）",
    "teacher": "主讲教师",
    "operator": "管理员值守",
    "library": "微课库",
    "64k-loss10": "64 kbit/s，丢包 10%",
    "data": "数据目录: {data}",
    "stop": "按 Ctrl+C 停止。",
}
ENGLISH: Words = {
    "title": "Zhuandi is running. Its certificate is its own: on other machines open {trust} first",
    "classroom": "Open this first: a classroom in the demo lesson",
    "weak": "The same in a classroom on a weak link ({link})",
    "teacher": "Teacher",
    "operator": "Operator",
    "library": "Library",
    "64k-loss10": "64 kbit/s, 10 % loss",
    "data": "Data folder: {data}",
    "stop": "Press Ctrl+C to stop.",
}


def user_language() -> str:
    """`en` when the environment says so, Chinese otherwise."""
    setting = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if setting.lower().startswith("en") else "zh"


@dataclass(frozen=True)
class Banner:
    """The links, with their keys in the fragment (which browsers never send); `secret` is the API key's."""

    config: Config
    addresses: list[str]
    ports: dict[str, int]
    secret: str
    language: str

    def lines(self) -> list[str]:
        """All lines; links carry the address that other machines reach."""
        words = ENGLISH if self.language == "en" else CHINESE
        host = reachable_host(self.config.listen.host, self.addresses)
        lines = [words["title"].format(trust=f"http://{host}:{self.ports['http']}/trust")]
        for page in PAGES if self.config.demo.enabled else PAGES[1:]:
            lines.append(f"{words[page]}: {self._link(host, self.ports['https'], page)}")
            if page == "classroom" and "link" in self.ports:
                weak = words["weak"].format(link=self._weak_link(words))
                lines.append(f"{weak}: {self._link(host, self.ports['link'], page)}")
        lines.append(words["data"].format(data=self.config.data_dir))
        lines.append(words["stop"])
        return lines

    def _weak_link(self, words: Words) -> str:
        profile = next(link.profile for link in self.config.emulated_links if link.profile)
        return words.get(profile, profile)

    def _link(self, host: str, port: int, page: Page) -> str:
        return f"https://{host}:{port}/{page}#key={link_key(self.secret, page)}"

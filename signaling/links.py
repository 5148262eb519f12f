"""Short links: a key in the fragment stands for a role's rights, so that a link can be typed, printed and kept.

The keys are derived from the API key's secret: nothing is stored, and they stay the same until that secret changes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from signaling.auth import Rights, classroom_rights, operator_rights, teacher_rights

Page = Literal["classroom", "teacher", "operator", "library"]
PAGES: tuple[Page, ...] = ("classroom", "teacher", "operator", "library")
KEY_CHARACTERS = 16  # 96 bits
NAMES: dict[str, dict[Page, str]] = {
    "zh": {"classroom": "演示教室", "teacher": "主讲教师", "operator": "管理员", "library": "管理员"},
    "en": {"classroom": "Demo classroom", "teacher": "Teacher", "operator": "Operator", "library": "Operator"},
}


def link_key(secret: str, page: Page) -> str:
    """The key of a page's link: 16 characters that are safe in a URL."""
    digest = hmac.digest(secret.encode(), f"zhuandi link {page}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:KEY_CHARACTERS]


def page_of_link(key: str, keys: Mapping[str, str]) -> Page | None:
    """Which page's link has this key; compared in constant time."""
    for secret in keys.values():
        for page in PAGES:
            if hmac.compare_digest(link_key(secret, page).encode(), key.encode()):
                return page
    return None


def link_rights(page: Page, demo: str, language: str, expires_s: int) -> Rights:
    """The rights behind a page's link; `demo` is the lesson that the classroom's leads to."""
    name = NAMES.get(language, NAMES["zh"])[page]
    if page == "classroom":
        return classroom_rights("demo-classroom", name, demo, expires_s)
    if page == "teacher":
        return teacher_rights("teacher", name, None, expires_s)
    operator = operator_rights("operator", name, expires_s)
    return operator if page == "operator" else replace(operator, admin=False, create=False, list_rooms=False)

"""Link profiles by name, or made of a capacity trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from streaming._core import link_profiles, read_trace

if TYPE_CHECKING:  # shapes of the contract, which the module itself does not have
    from streaming._core import LinkDict, LinkProfileDict


def profile_names() -> list[str]:
    """The named links, in the order in which pages list them."""
    return list(link_profiles())


def named_profile(name: str) -> LinkProfileDict:
    """Both directions; raises `ValueError` with the names that there are."""
    profiles = link_profiles()
    if name not in profiles:
        raise ValueError(f"there is no link profile {name}: choose one of {', '.join(profiles)}")
    return profiles[name]


def trace_profile(path: Path, *, delay_ms: int, loss: float, queue_ms: int) -> LinkProfileDict:
    """A link whose both directions have the capacity of a CSV; raises `ValueError` or `OSError`."""
    direction: LinkDict = {
        "trace": read_trace(str(path), path.read_text()),
        "delay_us": delay_ms * 1000,
        "loss": loss,
        "queue_ms": queue_ms,
    }
    return {"down": direction, "up": direction}

"""One figure for each goal, from the figures of all links."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from benchmarks.links.figures import Figures, fall, outage
from benchmarks.links.run import Results, jain, weak_traces


def summary(results: Results) -> Figures:
    """Every goal's figure; None where its links were not run."""
    constant, traces, weak = results.named("constant"), results.named("trace"), weak_traces(results)
    made: Figures = {}
    made.update(_sound(results))
    made.update(
        freeze_ratio_median=_quantile(weak, "freeze_ratio", 0.5),
        freeze_ratio_p90=_quantile(weak, "freeze_ratio", 0.9),
        freeze_bound_median=_quantile(weak, "freeze_bound", 0.5),
        freeze_bound_p90=_quantile(weak, "freeze_bound", 0.9),
        video_off_ratio=_mean(weak, "video_off_ratio"),
        video_off_oracle=_mean(weak, "video_off_oracle"),
        utilisation_constant=_mean(constant, "utilisation"),
        utilisation_constant_min=_quantile(constant, "utilisation", 0.0),
        utilisation_traces=_mean(traces, "utilisation"),
        utilisation_loss10=_mean(_loss(results, 10), "utilisation"),
        utilisation_loss20=_mean(_loss(results, 20), "utilisation"),
        self_delay_p95_ms_constant=_quantile(constant, "self_delay_p95_ms", 1.0),
        self_delay_p95_ms_traces=_mean(traces, "self_delay_p95_ms"),
        self_delay_p95_ms_traces_worst=_quantile(traces, "self_delay_p95_ms", 1.0),
        audio_pacer_p99_ms=_waits(results),
    )
    made.update(_changes(results))
    made.update(
        switches_per_min_traces=_mean(traces, "switches_per_min"),
        switches_per_min_constant=_mean(constant, "switches_per_min"),
        probe_share=results.padding / results.sent if results.sent else None,
        jain=jain(results.shares_bps) if results.shares_bps else None,
        tcp_share=min(results.tcp_shares) if results.tcp_shares else None,
        slides_legible_8s=results.slides_legible,
        keyframes_per_min=results.keyframes_per_min,
    )
    return made


def _sound(results: Results) -> Figures:
    lossy = {name: results.links[name] for name in results.groups.get("loss", [])}
    strong = [one for name, one in lossy.items() if name.endswith("20%") and not name.startswith("50k")]
    weak = [one for name, one in lossy.items() if name == "50k loss 20%"]
    bursts = _without_50k(results, "bursts")
    listening = _without_50k(results, "listening")
    return {
        "audio_concealed_20pct": _worst(strong, "audio_concealed"),
        "audio_concealed_20pct_bursts": _worst(bursts, "audio_concealed"),
        "audio_concealed_20pct_listening": _worst(listening, "audio_concealed"),
        "audio_concealed_20pct_50k": _worst(weak, "audio_concealed"),
        "audio_longest_gap_ms_loss": _worst(list(lossy.values()), "audio_longest_gap_ms"),
        "audio_longest_gap_ms_listening": _worst(listening, "audio_longest_gap_ms"),
    }


def _without_50k(results: Results, group: str) -> list[Figures]:
    return [results.links[name] for name in results.groups.get(group, []) if not name.startswith("50k")]


def _loss(results: Results, percent: int) -> list[Figures]:
    """Links of at least 200 kbit/s with this random loss: what is below has no step to climb to."""
    names = results.groups.get("loss", [])
    return [
        results.links[name]
        for name in names
        if name.endswith(f"loss {percent}%") and int(name.split("k", maxsplit=1)[0]) >= 200
    ]


def _changes(results: Results) -> Figures:
    made: Figures = dict.fromkeys(
        ("fall_react_s", "fall_drained_s", "rise_s", "rise_600ms_s", "outage_audio_s", "outage_picture_s",
         "outage_rung_s"),
    )  # fmt: skip
    outages = []
    for name in results.groups.get("change", []):
        seen = results.seen[name]
        if name.startswith("fall"):
            made["fall_react_s"], made["fall_drained_s"] = fall(seen)
        elif name.startswith("rise"):
            made["rise_s" if name.endswith("100ms") else "rise_600ms_s"] = results.links[name]["recovery_s"]
        elif name.startswith("outage 5s"):
            outages.append(outage(seen))
    if outages:
        made["outage_audio_s"], made["outage_picture_s"], made["outage_rung_s"] = np.max(outages, axis=0).tolist()
    return made


def _waits(results: Results) -> float | None:
    """What 99 of 100 looks at a classroom found at most as the longest wait of a packet of sound."""
    if not results.sound_waits_us:
        return None
    return float(np.quantile(np.concatenate(results.sound_waits_us), 0.99)) / 1000


def _values(rows: Iterable[Figures], name: str) -> list[float]:
    return [value for row in rows if (value := row[name]) is not None]


def _mean(rows: list[Figures], name: str) -> float | None:
    values = _values(rows, name)
    return float(np.mean(values)) if values else None


def _quantile(rows: list[Figures], name: str, share: float) -> float | None:
    values = _values(rows, name)
    return float(np.quantile(values, share)) if values else None


def _worst(rows: list[Figures], name: str) -> float | None:
    return _quantile(rows, name, 1.0)

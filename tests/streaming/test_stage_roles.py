"""What a leg is worth by whom it comes from: the teacher's before the stage's, and at the teacher all the same."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from bandwidth.columns import CAMERA, MICROPHONE, STAGE_PICTURE, STAGE_SOUND
from bandwidth.config import Config
from bandwidth.ladder import STEPS, build, fill, layers
from streaming._core import Core
from streaming.commands import Commands
from streaming.demand import DemandBuilder
from streaming.link_memory import LinkMemory
from streaming.model import Model
from streaming.params import Source
from streaming.sources import SourceRates

WAYS = {"teacher": "from_peer", "near": "to_peer", "far": "to_peer", "silent": "to_peer"}


class _Core:
    """Gives handles and moves nothing."""

    def __init__(self) -> None:
        self.handle = 100

    def __getattr__(self, name: str) -> Any:
        def made(*_: Any, **__: Any) -> Any:
            self.handle += 1
            return {"transport": self.handle} if name == "open_transport" else self.handle

        return made


class Stage:
    """A teacher and three classrooms, of which two are on stage; everybody gets voice and picture of all others."""

    def __init__(self) -> None:
        self.model = Model()
        commands = Commands(cast(Core, _Core()), self.model, "epoch", lambda: 0)
        commands.open_lesson("1", None)
        self.handles = {name: commands.open_transport("1", {"stills": way})["transport"] for name, way in WAYS.items()}
        sources: tuple[tuple[Source, str], ...] = (("microphone", "audio"), ("camera", "video"))
        speaking = [
            (name, kind, commands.add_publication(self.handles[name], cast(Any, None), source)["handle"])
            for name in ("near", "far", "teacher")
            for source, kind in sources
        ]
        for listener, handle in self.handles.items():
            for speaker, kind, publication in speaking:
                if speaker != listener:
                    slot = commands.add_subscription(handle, cast(Any, {"kind": kind}))["handle"]
                    commands.connect(slot, publication)

    def roles(self, name: str) -> list[int]:
        """Of the legs of one end, in the order in which they were connected."""
        demand = DemandBuilder(self.model, LinkMemory()).build(SourceRates(), 0)
        return [int(role) for role in demand.role[demand.transport == self.handles[name]]]


def test_a_classroom_has_the_teacher_before_the_stage_in_whatever_order_slots_are_connected() -> None:
    stage = Stage()
    both = (STAGE_SOUND, STAGE_PICTURE)
    assert stage.roles("silent") == [*both, *both, MICROPHONE, CAMERA]
    assert stage.roles("near") == [*both, MICROPHONE, CAMERA]


def test_at_the_teacher_those_on_stage_are_equal() -> None:
    assert Stage().roles("teacher") == 2 * [STAGE_SOUND, STAGE_PICTURE]


def test_voices_on_stage_are_never_dropped_and_pictures_of_two_go_together() -> None:
    """A ladder of the teacher's: two voices of 24 kbit/s, two cameras of 100 and 300 kbit/s."""
    demand = DemandBuilder(Stage().model, LinkMemory()).build(SourceRates(), 0)
    mine = demand.transport == demand.transport[0]
    of = {name: getattr(demand, name)[mine] for name in vars(demand)}
    sound = of["role"] == STAGE_SOUND
    rates = np.zeros((4, 3, 4), dtype=np.uint64)
    rates[sound, 0] = 24_000
    rates[~sound, 0], rates[~sound, 1] = 100_000, 300_000
    teacher = type(demand)(**{**of, "rates_bps": rates, "packets_hz": np.full((4, 3), 25.0)})
    rows, none = np.zeros(4, dtype=np.intp), np.zeros(1)
    steps = build(teacher, rows, 1, teacher.cap, none.astype(np.int64), none, none, Config())

    def at(budget_bps: float) -> list[int]:
        spatial, _ = layers(steps, fill(steps, np.array([budget_bps])), teacher)
        return [int(layer) for layer in spatial]

    assert at(1_000) == [0, -1, 0, -1], "voices, whatever the link carries"
    assert at(350_000) == [0, 0, 0, 0]
    assert at(1_200_000) == [0, 1, 0, 1]


def test_in_the_ladder_the_stage_stands_below_what_the_teacher_shows() -> None:
    order = [(step.role, step.spatial) for step in STEPS]
    voices = [order.index((role, 0)) for role in (MICROPHONE, STAGE_SOUND)]
    assert voices == [0, 1], "before every picture"
    for spatial in range(3):
        assert order.index((CAMERA, spatial)) < order.index((STAGE_PICTURE, spatial))

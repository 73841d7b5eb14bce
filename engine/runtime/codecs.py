# pyright: strict
"""The codecs of every wire in a performance: to and from the sound, to and from workers, between the
halves, commands, and events."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel

from engine.events.vocabulary import Event
from engine.generators.contract import GENERATORS, TRANSFORMS
from engine.processes.codec import Codec, model_name, register_dtype
from engine.runtime.messages import FromWorker, ToWorker
from engine.runtime.performance.commands import Command
from engine.runtime.performance.messages import FromStage, ToStage
from engine.score.phrase import NOTE
from engine.sound.messages import NOTE_EVENT, FromSound, ToSound

register_dtype("note", NOTE)
register_dtype("note_event", NOTE_EVENT)


@cache
def settings_class(name: str) -> type[BaseModel]:
    """The settings of an installed kind of generator or transform by their class's name on the wire.

    Raises:
        LookupError: no installed kind has such settings.
    """
    for kind in (*GENERATORS.kinds().values(), *TRANSFORMS.kinds().values()):
        if model_name(kind.settings) == name:
            return kind.settings
    raise LookupError(f"no installed generator or transform has the settings {name[:80]}")


TO_SOUND: Codec[ToSound] = Codec(ToSound)
FROM_SOUND: Codec[FromSound] = Codec(FromSound)
TO_WORKER: Codec[ToWorker] = Codec(ToWorker, settings_class)
FROM_WORKER: Codec[FromWorker] = Codec(FromWorker, settings_class)
EVENTS: Codec[Event] = Codec(Event)
TO_STAGE: Codec[ToStage] = Codec(ToStage)
FROM_STAGE: Codec[FromStage] = Codec(FromStage)
COMMANDS: Codec[Command] = Codec(Command)

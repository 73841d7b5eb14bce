# pyright: strict
"""The codecs between the halves of a performance, of commands, and of events. Those of children stand beside their
messages: engine/sound/messages.py and engine/runtime/workers/messages.py."""

from __future__ import annotations

from engine.codec import Codec
from engine.events.vocabulary import Event
from engine.runtime.performance.commands import Command
from engine.runtime.performance.messages import FromStage, ToStage

EVENTS: Codec[Event] = Codec(Event)
TO_STAGE: Codec[ToStage] = Codec(ToStage)
FROM_STAGE: Codec[FromStage] = Codec(FromStage)
COMMANDS: Codec[Command] = Codec(Command)

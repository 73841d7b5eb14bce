# pyright: strict
"""The keys of an installation file for what stands behind the output: mixer, amplifier, microphone; and for staff."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from engine.generators.contract import Settings
from engine.installation.choices.amplifier import AmplifierChoice
from engine.installation.choices.staff import ButtonPins
from engine.installation.choices.ups import UpsChoice
from engine.logs.choice import LogFormat
from engine.outputs.gain import MOST_LEVEL
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.problems import Problem
from engine.scenes.text.source import SourceFile
from engine.units import Decibels, Percent, Seconds, Unit, parse, unit_schema

SIZE = Unit("a size", {"MB": 1_000_000, "kB": 1000}, "`5 MB`", whole=True, low=10_000, high=1_000_000_000)
LogSize = Annotated[int, BeforeValidator(lambda value: parse(value, SIZE)), unit_schema(SIZE), SIZE]


class MixerFile(Settings):
    """The mixer between the output and the loudspeaker."""

    level: Percent | None = Field(
        default=None, description="Level at which it is held, `80 %`; without it, it is watched and never touched."
    )
    restore: bool = Field(
        default=True, description="Whether it is put back when somebody changes it, and not only at the start."
    )
    control: str = Field(
        default="",
        description="The one control of a bare ALSA card that counts; without it, all that are called as outputs are.",
        examples=["Digital"],
    )


class MicrophoneFile(Settings):
    """A microphone or line input that hears the room."""

    device: str = Field(
        default="default",
        min_length=1,
        description="A source of the sound server, or a card by the name that stays, `hw:CARD=Mic,DEV=0`.",
    )


class StaffFile(Settings):
    """By how much staff may move the volume, until the next opening."""

    step: Decibels = Field(default=2.0, ge=0.5, le=6, description="By how much one `louder` or `softer` moves it.")
    louder: Decibels = Field(
        default=4.0, ge=0, le=MOST_LEVEL, description="By how much it may be raised at most; `0 dB`: not at all."
    )
    softer: Decibels = Field(
        default=12.0, ge=0, le=30, description="By how much it may be lowered at most; `0 dB`: not at all."
    )


class ButtonsFile(Settings):
    """Buttons for staff, and a light, at GPIO pins; a button closes its pin to ground."""

    louder: int | None = Field(default=None, ge=0, le=27, description="A step louder.", examples=["5"])
    softer: int | None = Field(default=None, ge=0, le=27, description="A step softer.", examples=["6"])
    mute: int | None = Field(default=None, ge=0, le=27, description="Silence, and back.", examples=["13"])
    quiet: int | None = Field(default=None, ge=0, le=27, description="Quiet mode, and back.", examples=["19"])
    light: int | None = Field(
        default=None,
        ge=0,
        le=27,
        description="A light: on while all is as it should be; it blinks slowly while it is muted or the alarm is on, "
        "and quickly while something is wrong.",
        examples=["26"],
    )


class LogFile(Settings):
    """How its log is written."""

    format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="`text` for people, `json`, or fields of systemd's `journal`; `auto`: the journal's where it takes "
        "what is printed, and text elsewhere.",
    )
    file: bool = Field(default=False, description="Whether it is also kept in `log/` of the state folder, as JSON.")
    size: LogSize = Field(default=5_000_000, description="Of a file, after which another begins.")
    files: int = Field(default=4, ge=0, le=50, description="How many are kept besides the one that grows.")


class UpsFile(Settings):
    """An uninterruptible power supply."""

    pin: int | None = Field(
        default=None, ge=0, le=27, description="GPIO pin of its signal, as Broadcom counts.", examples=["4"]
    )
    active: Literal["high", "low"] = Field(default="low", description="How the pin is while it runs on battery.")
    check: str = Field(
        default="",
        description="Command that ends with 0 on mains and with 1 on battery, asked every 5 s; of any other status "
        "nothing follows. No shell.",
        examples=["/etc/perpetuum/on-mains"],
    )
    after: Seconds = Field(
        default=60.0, le=3600, description="For how long it runs on battery before the machine is shut down."
    )
    shutdown: str = Field(
        default="systemctl poweroff",
        description="Command that shuts the machine down; when it has succeeded, the music fades out. Empty: a power "
        "cut is only told.",
    )


class AmplifierFile(Settings):
    """The power of an amplifier, on before the music fades in and off after it has closed."""

    pin: int | None = Field(
        default=None, ge=0, le=27, description="GPIO pin of a relay, as Broadcom counts: 17 is GPIO17.", examples=["27"]
    )
    active: Literal["high", "low"] = Field(default="high", description="How the pin is while the relay is on.")
    switch_on: str = Field(
        default="",
        description="Command that switches it on, with its words; no shell.",
        examples=["/etc/perpetuum/amp on"],
    )
    switch_off: str = Field(
        default="", description="Command that switches it off.", examples=["/etc/perpetuum/amp off"]
    )
    before: Seconds = Field(default=5.0, le=600, description="For how long it is on before the music begins.")
    after: Seconds = Field(default=60.0, le=3600, description="For how long it stays on after the end.")


def read_amplifier(source: SourceFile, node: MapNode, said: AmplifierFile | None) -> AmplifierChoice | Problem | None:
    """How an amplifier is switched.

    Args:
        source: the file.
        node: of the whole installation.
        said: what it says.
    """
    mapping = node.get("amplifier")
    if not isinstance(mapping, MapNode) or said is None:
        return None
    commands: list[tuple[str, ...]] = []
    for name, text in (("switch_on", said.switch_on), ("switch_off", said.switch_off)):
        try:
            commands.append(tuple(shlex.split(text)))
        except ValueError as error:  # a quotation mark that nothing closes
            return source.error(
                mapping.key(name).span, f"`{name}` is no command: {error}", "like `/etc/perpetuum/amp on`"
            )
    on, off = commands
    span = node.key("amplifier").span
    if bool(on) != bool(off):
        there, missing = ("switch_on", "switch_off") if on else ("switch_off", "switch_on")
        return source.error(mapping.key(there).span, f"there is a `{there}` and no `{missing}`", "both, or neither")
    if said.pin is None and not on:
        return source.error(span, "nothing says how it is switched", "a `pin`, or `switch_on` and `switch_off`")
    return AmplifierChoice(said.pin, said.active == "high", on, off, said.before, said.after)


def read_ups(
    source: SourceFile, node: MapNode, said: UpsFile | None, taken: dict[str, int | None]
) -> UpsChoice | Problem | None:
    """How a UPS is heard.

    Args:
        source: the file.
        node: of the whole installation.
        said: what it says.
        taken: pins that are something else's, by what that is; its own is added.
    """
    mapping = node.get("ups")
    if not isinstance(mapping, MapNode) or said is None:
        return None
    commands: list[tuple[str, ...]] = []
    for name, text in (("check", said.check), ("shutdown", said.shutdown)):
        try:
            commands.append(tuple(shlex.split(text)))
        except ValueError as error:  # a quotation mark that nothing closes
            return source.error(mapping.key(name).span, f"`{name}` is no command: {error}", "like `systemctl poweroff`")
    check, shutdown = commands
    if said.pin is None and not check:
        return source.error(node.key("ups").span, "nothing says how it is heard", "a `pin`, or a `check`")
    other = next((name for name, pin in taken.items() if pin is not None and pin == said.pin), None)
    if other is not None:
        span = mapping.entries["pin"][1].span
        return source.error(span, f"GPIO{said.pin} is that of `{other}` already", "a pin of its own")
    taken["ups"] = said.pin
    return UpsChoice(said.pin, said.active == "high", check, shutdown, said.after)


def read_buttons(
    source: SourceFile, node: MapNode, head: ButtonsFile, taken: Mapping[str, int | None]
) -> ButtonPins | Problem:
    """Buttons and light.

    Args:
        source: the file.
        node: of the whole installation.
        head: what it says.
        taken: pins that are something else's, by what that is.
    """
    mapping = node.get("buttons")
    pins = {pin: name for name, pin in taken.items() if pin is not None}
    for name in ButtonsFile.model_fields:
        pin = getattr(head, name)
        if pin is None:
            continue
        if pin in pins and isinstance(mapping, MapNode):
            span = mapping.entries[name][1].span
            return source.error(span, f"GPIO{pin} is that of `{pins[pin]}` already", "a pin of its own")
        pins[pin] = name
    return ButtonPins(head.louder, head.softer, head.mute, head.quiet, head.light)

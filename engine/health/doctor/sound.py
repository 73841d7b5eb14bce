# pyright: strict
"""The way of the sound: a device by its stable name, and a mixer that lets it through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from engine.health.doctor.diagnosis import Diagnosis, Grade
from engine.health.mixer.mixer import OutputMixer
from engine.health.programs import Ask, output_of
from engine.outputs.devices.devices import Device, auto_choice, devices
from engine.sound.build import has_double, pyo_folders

SOFT = 40.0
"""Per cent of a mixer below which somebody has probably turned it down by hand."""


def device(kind: str, argument: str | None, here: Sequence[Device] | None = None) -> Diagnosis:
    """Whether what the installation plays to is here.

    Args:
        kind: of its output: "auto", "device", "null", "wav" ...
        argument: of that kind.
        here: devices; None: look.
    """
    if kind not in ("auto", "device"):
        return Diagnosis("output", Grade.GOOD, f"{kind}: no sound card is needed")
    here = devices() if here is None else here
    names = ", ".join(one.name for one in here) or "none"
    if kind == "device" and argument:
        if any(argument == one.name for one in here):
            return Diagnosis("output", Grade.GOOD, f"{argument} is here")
        numbered = re.match(r"(?:plug)?hw:\d", argument)
        remedy = "plug it in; `perpetuum outputs` names what there is"
        if numbered:
            remedy = "use the name that stays, such as hw:CARD=PCH,DEV=0: numbers change with what is plugged in first"
        return Diagnosis("output", Grade.BAD, f"{argument} is not here; there is {names}", remedy)
    takes, why = auto_choice()
    if not here:
        remedy = "plug a card in, and install a player: apt install pipewire-bin, pulseaudio-utils or alsa-utils"
        return Diagnosis("output", Grade.BAD, f"{takes}: {why}", remedy)
    return Diagnosis("output", Grade.GOOD, f"{takes}: {why}")


def library(folders: list[Path] | None = None, double: bool | None = None) -> Diagnosis:
    """Whether what makes the sound is here, and of which build.

    Args:
        folders: where pyo lies; None: look.
        double: whether it computes in double precision; None: look.
    """
    folders = pyo_folders() if folders is None else folders
    if not folders:
        return Diagnosis("pyo", Grade.BAD, "it is not installed: nothing can sound", "pip install pyo")
    if has_double(folders) if double is None else double:
        return Diagnosis("pyo", Grade.GOOD, "in double precision")
    remedy = "pip install --force-reinstall --no-deps --no-binary pyo --config-settings=--build-option=--use-double pyo"
    return Diagnosis(
        "pyo", Grade.DOUBTFUL, "in single precision; scenes were made and measured with the double one", remedy
    )


def mixer(kind: str, argument: str | None, ask: Ask = output_of) -> list[Diagnosis]:
    """Whether mixers let sound through.

    Args:
        kind: of the output.
        argument: of that kind.
        ask: runs `pactl`, `wpctl`, `pw-dump` and `amixer`.
    """
    if kind not in ("auto", "device"):
        return []
    states = OutputMixer(argument, ask=ask).states()
    if not states:
        return [Diagnosis("mixer", Grade.UNKNOWN, "nobody here tells levels", "apt install alsa-utils, and look again")]
    found: list[Diagnosis] = []
    for state in states:
        if state.shut:
            words = "; ".join(" ".join(command) for command in state.setting(80.0))
            found.append(Diagnosis("mixer", Grade.BAD, f"{state.name} is {state.how}", f"open it: {words}"))
        elif state.percent < SOFT:
            remedy = "turn it up, and the amplifier down"
            found.append(Diagnosis("mixer", Grade.DOUBTFUL, f"{state.name} is {state.how}", remedy))
        else:
            found.append(Diagnosis("mixer", Grade.GOOD, f"{state.name} is {state.how}"))
    return found

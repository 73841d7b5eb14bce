# pyright: strict
"""A whole installation file: from its nodes to the values that run, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import PerpetuumError
from engine.files import stem_of
from engine.form.hearing import Hearing, SoundHearing
from engine.installation.choices.access import AlarmContact, AlarmSources
from engine.installation.choices.proof import MixerChoice, ProofChoices
from engine.installation.choices.staff import StaffChoice
from engine.installation.hours.opening import Hours, Opening
from engine.installation.hours.walltime import find_zone
from engine.installation.installation import Fades, Installation, JournalSettings, PlannedRestart, Quiet
from engine.installation.reading.days import read_days, read_exceptions, read_hours, read_week
from engine.installation.reading.entries import NamedScenes, read_outside, read_programme
from engine.installation.reading.equipment import read_amplifier, read_buttons, read_ups
from engine.installation.reading.listening import hide_secrets, read_listening
from engine.installation.reading.loudness import read_loudness
from engine.installation.reading.models import HearingFile, InstallationFile
from engine.installation.reading.notices import read_notices
from engine.installation.reading.pool import read_pool
from engine.installation.reading.schema import known_keys
from engine.installation.reading.sounding import read_sound
from engine.installation.reading.steering import read_steering
from engine.installation.state_place import default_state
from engine.logs.choice import LogChoice
from engine.scenes.schema.models import NoteLimitsFile, SceneFile
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import nearest
from engine.scenes.text.nodes import MapNode
from engine.scenes.text.problems import Problem, Span
from engine.scenes.text.source import SourceFile, clipped

_SHARED = ("perpetuum", "title", "seed", "credits", "ear")
_OF_SCENES = {
    name: "it in the file of a scene" for name in SceneFile.model_fields if name not in InstallationFile.model_fields
}


def kinds_of(node: MapNode) -> tuple[list[str], list[str]]:
    """The keys of a file that only a scene has, and those that only an installation has."""
    return (
        [name for name in node.entries if name in SceneFile.model_fields and name not in _SHARED],
        [name for name in node.entries if name in InstallationFile.model_fields and name not in _SHARED],
    )


def read_file(source: SourceFile, node: MapNode, scenes: NamedScenes) -> Installation | None:
    """The installation; None where anything is wrong with it, which is noted.

    Args:
        source: the file.
        node: its mapping.
        scenes: what has been looked into so far; all scenes that it names are.
    """
    hide_secrets(source, node, known_keys())
    start = Span(node.span.start, node.span.start + 1)
    head = validate(InstallationFile, node, source, "the installation", start, elsewhere=_OF_SCENES)
    # Where the head is wrong, the rest is looked into as if it said nothing, so that all is told at once.
    known = InstallationFile(perpetuum=1, title="-", scenes={"-": None}) if isinstance(head, Problem) else head
    programme = read_programme(source, node, known, scenes)
    opening = _read_opening(source, node)
    quiet = _read_quiet(source, node, known)
    loudness = read_loudness(source, node, known.loudness)
    sound = read_sound(source, node, known)
    listening = read_listening(source, node)
    notices = read_notices(source, node)
    steering = read_steering(source, node)
    pool = read_pool(source, node)
    amplifier = read_amplifier(source, node, known.amplifier)
    taken = {
        "alarm": known.alarm.contact.pin if known.alarm.contact is not None else None,
        "amplifier": known.amplifier.pin if known.amplifier is not None else None,
    }
    ups = read_ups(source, node, known.ups, taken)
    buttons = read_buttons(source, node, known.buttons, taken)
    restart = _read_restart(source, node, known)
    outside = read_outside(source, node, known.outside, scenes) if known.outside is not None else None
    zone = _read_zone(source, node, known)
    state = _read_state(source, node, known)
    if (
        isinstance(head, Problem)
        or programme is None
        or isinstance(programme, Problem)
        or isinstance(opening, Problem)
        or isinstance(quiet, Problem)
        or isinstance(loudness, Problem)
        or isinstance(sound, Problem)
        or isinstance(listening, Problem)
        or isinstance(notices, Problem)
        or isinstance(steering, Problem)
        or isinstance(pool, Problem)
        or isinstance(amplifier, Problem)
        or isinstance(ups, Problem)
        or isinstance(buttons, Problem)
        or isinstance(restart, Problem)
        or isinstance(outside, Problem)
        or isinstance(zone, Problem)
        or isinstance(state, Problem)
        or not source.sound
    ):
        return None
    contact, mixer = head.alarm.contact, head.mixer
    return Installation(
        path=source.path.absolute(),
        title=head.title,
        programme=programme,
        state=state,
        opening=opening,
        time_zone=zone,
        unknown_time=head.unknown_time,
        fades=Fades(head.fades.opening, head.fades.closing),
        outside=outside,
        quiet=quiet,
        loudness=loudness,
        staff=StaffChoice(head.staff.step, head.staff.louder, head.staff.softer),
        buttons=buttons,
        log=LogChoice(head.log.format, head.log.file, head.log.size, head.log.files),
        hearing=Hearing(**_said(head.ear, NoteLimitsFile.model_fields)),
        sound_hearing=SoundHearing(**_said(head.ear, HearingFile.model_fields.keys() - NoteLimitsFile.model_fields)),
        sound=sound,
        restart=restart,
        listening=listening,
        notices=notices,
        steering=steering,
        alarm=AlarmSources(
            AlarmContact(contact.pin, contact.alarm == "closed") if contact is not None else None,
            head.alarm.signal,
            head.alarm.http,
        ),
        journal=JournalSettings(head.journal.keep * 3600.0, head.journal.resume),
        amplifier=amplifier,
        ups=ups,
        pool=pool,
        proof=ProofChoices(
            MixerChoice(mixer.level * 100.0 if mixer.level is not None else None, mixer.restore, mixer.control),
            head.microphone.device if head.microphone is not None else "",
        ),
        fallback_bank=head.fallback_bank,
    )


def _said(ear: HearingFile, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(ear, name) for name in names}


def _read_opening(source: SourceFile, node: MapNode) -> Opening | Problem:
    week = exceptions = None
    if "hours" in node.entries:
        key, value = node.entries["hours"]
        week = read_week(source, value, key.span)
        if not isinstance(week, Problem) and not any(week):
            source.warning(key.span, "it is closed all week", "give a day some hours")
    if "exceptions" in node.entries:
        key, value = node.entries["exceptions"]
        exceptions = read_exceptions(source, value, key.span)
    if isinstance(week, Problem):
        return week
    return exceptions if isinstance(exceptions, Problem) else Opening(week, exceptions or ())


def _read_quiet(source: SourceFile, node: MapNode, head: InstallationFile) -> Quiet | Problem:
    mapping = node.get("quiet")
    hours: tuple[Hours, ...] | Problem = ()
    days: tuple[int, ...] | Problem = Quiet().days
    if isinstance(mapping, MapNode):
        if "hours" in mapping.entries:
            key, value = mapping.entries["hours"]
            hours = read_hours(source, value, key.span, closed=False)
        days = read_days(source, mapping.get("days"))
    if isinstance(hours, Problem):
        return hours
    return days if isinstance(days, Problem) else Quiet(hours, days, head.quiet.level, head.quiet.density)


def _read_restart(source: SourceFile, node: MapNode, head: InstallationFile) -> PlannedRestart | Problem | None:
    mapping = node.get("restart")
    if not isinstance(mapping, MapNode) or head.restart is None:
        return None
    days = read_days(source, mapping.get("days"))
    return days if isinstance(days, Problem) else PlannedRestart(head.restart.at, days)


def _read_zone(source: SourceFile, node: MapNode, head: InstallationFile) -> str | Problem:
    if head.time_zone:
        try:
            find_zone(head.time_zone)
        except PerpetuumError as error:
            from zoneinfo import available_timezones

            meant = nearest(head.time_zone, sorted(available_timezones()))
            span = node.entries["time_zone"][1].span
            return source.error(span, error.message.replace("'", "`"), "a name like `Europe/Berlin`", meant)
    elif "hours" in node.entries:
        hint = "say one, like `time_zone: Europe/Berlin`: the next machine may be set to another"
        source.warning(node.key("hours").span, "these hours follow the time zone of whatever machine it is", hint)
    return head.time_zone


def _read_state(source: SourceFile, node: MapNode, head: InstallationFile) -> Path | Problem:
    if not head.state:
        return default_state(stem_of(source.path))
    span = node.entries["state"][1].span
    if "\0" in head.state or head.state.startswith("~"):
        return source.error(span, f"`{clipped(head.state)}` is no path", "a whole path, like `/var/lib/perpetuum`")
    path = source.folder.absolute() / head.state
    try:
        is_something_else = path.exists() and not path.is_dir()
    except OSError:  # a part of it is too long, or may not be looked into
        is_something_else = True
    if is_something_else:
        return source.error(span, f"`{clipped(head.state)}` is no folder", "a folder; it need not be there yet")
    return path

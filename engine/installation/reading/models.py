# pyright: strict
"""The keys of an installation file as pydantic models.

What needs its place in the file to be judged (hours, scenes, outputs, addresses, secrets) is `Any` here and is read
from nodes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from engine.generators.contract import Settings
from engine.installation.choices.notices import Encryption
from engine.installation.installation import Order, UnknownTime
from engine.installation.reading.equipment import (
    AmplifierFile,
    ButtonsFile,
    LogFile,
    MicrophoneFile,
    MixerFile,
    StaffFile,
    UpsFile,
)
from engine.installation.reading.loudness import LoudnessFile
from engine.installation.reading.quantities import Absence, Air, Bank, Keep, Lengths, Lower, TimeOfDay
from engine.outputs.gain import MOST_TRIM
from engine.scenes.schema.models import LARGEST_SEED, Limit, NoteLimitsFile, Stuck
from engine.units import (
    Bars,
    Decibels,
    Percent,
    Range,
    Seconds,
)

MOST_SCENES = 64


TransitionKind = Literal["at_section", "after_rest", "overlap"]


class TransitionFile(Settings):
    """How one scene becomes the next."""

    kind: TransitionKind = Field(
        description="`at_section`: where a section ends, with a fade. `after_rest`: the same, and then a rest. "
        "`overlap`: both sound for some bars."
    )
    fade: Seconds = Field(default=4.0, le=60, description="How long the last one takes to fade out; not for `overlap`.")
    rest: Seconds = Field(default=5.0, le=600, description="Silence between the two; for `after_rest`.")
    bars: Bars = Field(default=8, le=64, description="For how long both sound; for `overlap`.")


class SceneEntryFile(Settings):
    """A scene of the programme."""

    file: str = Field(
        default="",
        description="Its file, or the name of a shipped scene; without it, the name that it has here.",
    )
    length: Lengths = Field(
        default=Range(1800.0, 1800.0),
        description="How long a turn is: `30 min`, or a range that each turn draws from, `20..40 min`.",
    )
    weight: float = Field(
        default=1.0, ge=0, le=1e6, description="How often it is drawn, against the others, in `order: random`."
    )
    next: Any = Field(
        default=None,
        description="The scene that follows, or several with weights, `{tides: 3, drift: 1}`; without it, as `order` "
        "says.",
    )
    hours: Any = Field(
        default=(),
        description="Hours of each day in which it plays instead of the programme, `12:00..12:15`, or a list of such; "
        "it takes no turns then.",
    )
    days: Any = Field(
        default="every_day", description="Days on which these hours count: `saturday`, `[weekend, monday]`."
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_SEED,
        description="With it every turn of the scene is the same; without, each differs. The seed in the scene's own "
        "file does not count here.",
    )
    transition: Any = Field(default=None, description="Into this scene, where it differs from the others.")


class FadesFile(Settings):
    """At the edges of the hours."""

    opening: Seconds = Field(default=10.0, le=1800, description="How long it takes to fade in, from the opening on.")
    closing: Seconds = Field(default=30.0, le=1800, description="How long it takes to fade out, before the closing.")


class OutsideFile(Settings):
    """What sounds while it is closed."""

    scene: str = Field(description="A scene file, or the name of a shipped scene.", min_length=1)
    level: Lower = Field(default=-12.0, description="How much less loud it is than the target.")


class QuietFile(Settings):
    """Quiet mode: for a quiet hour, and whenever somebody asks for it."""

    hours: Any = Field(default=(), description="Hours of each day in which it counts, `13:00..14:00`, or a list.")
    days: Any = Field(default="every_day", description="Days on which these hours count.")
    level: Lower = Field(default=-12.0, description="How much less loud it is then.")
    density: Percent = Field(default=1.0, description="How many of the notes stay, `60 %`.")


class HearingFile(NoteLimitsFile):
    """What the ear takes for a fault, where a scene says nothing else; and what it does about the level."""

    dead_air: Air = Field(default=10.0, description="For how long nothing may sound while notes are played.")
    tone: Stuck = Field(default=120.0, description="For how long one steady tone may sound, and nothing else.")
    offset: Limit = Field(
        default=0.02, description="How far the middle of the wave may lie off zero over ten seconds, of full scale."
    )
    after: Seconds = Field(
        default=60.0,
        ge=5,
        description="How much sound is heard before the level is corrected towards the target, and between two "
        "corrections; they are never faster than 1 dB a minute.",
    )
    louder: Decibels = Field(
        default=MOST_TRIM, ge=0, le=MOST_TRIM, description="By how much it is made louder at most; `0 dB`: never."
    )
    softer: Decibels = Field(
        default=12.0, ge=0, le=40, description="By how much it is made softer at most; `0 dB`: never."
    )


class RestartFile(Settings):
    """A planned restart of all processes, in closed hours."""

    at: TimeOfDay = Field(description="When.", examples=["04:30"])
    days: Any = Field(default="every_day", description="On which days.")


class OutputEntryFile(Settings):
    """An output, as a mapping."""

    kind: str = Field(description="Kind of the output; `perpetuum outputs` lists them.")
    argument: str = Field(default="", description="What stands behind the colon in `KIND:ARGUMENT`.")
    keep: Keep | None = Field(
        default=None, description="Of recordings into a folder, keep so many and DELETE older ones."
    )


class SecretFile(Settings):
    """Where a secret lies; one of the two."""

    env: str = Field(default="", description="A variable of the environment.")
    file: str = Field(default="", description="A file, whose one line it is.")


class ListenFile(Settings):
    """Who may ask and command over HTTP."""

    control: Any = Field(
        default=None,
        description="Addresses on which mute, quiet mode, alarm and state are served, `127.0.0.1:8470`; `[]` for none.",
        json_schema_extra={"default": "127.0.0.1:8470"},
    )
    token: Any = Field(
        default=None,
        description="What every command must carry; must be there where an address is not of this machine alone. "
        "`{env: NAME}` or `{file: PATH}`, never the token itself.",
    )
    staff_password: Any = Field(
        default=None,
        description="What opens the page for staff, and nothing else; 6 characters at least. Without it, the token "
        "does. `{env: NAME}` or `{file: PATH}`.",
    )
    health: Any = Field(
        default=None,
        description="Addresses on which health and metrics can be read, `127.0.0.1:8471`; `[]` for none.",
        json_schema_extra={"default": "127.0.0.1:8471"},
    )


class PoolFile(Settings):
    """Other machines that make phrases; see docs/pool.md."""

    hosts: Any = Field(
        description="Where they listen, one or a list; those that come first are asked first.",
        examples=["http://10.0.0.5:8480"],
    )
    token: Any = Field(
        default=None,
        description="What this player shows them: `{env: NAME}` or `{file: PATH}`, never the token itself.",
    )


class MailFile(Settings):
    """Messages by mail."""

    to: Any = Field(description="An address, or several.", examples=["technician@example.org"])
    sender: Any = Field(description="The address that they come from.", examples=["foyer@example.org"])
    server: str = Field(description="Who takes the mail, and the port.", examples=["mail.example.org:587"])
    encryption: Encryption = Field(
        default=Encryption.STARTTLS,
        description="`starttls` (port 587), `tls` from the first byte on (port 465), or `none`.",
    )
    user: str = Field(default="", description="Whom to log in as.")
    password: Any = Field(default=None, description="Where its password lies: `{env: NAME}` or `{file: PATH}`.")


class NoticesFile(Settings):
    """Who is told when something breaks, and when all is well again."""

    mail: Any = Field(default=None, description="By mail.")
    webhook: Any = Field(
        default=None,
        description="Where the URL lies that messages are posted to as JSON: `{env: NAME}` or `{file: PATH}`.",
    )
    ping: Any = Field(
        default=None,
        description="Where the URL lies that is asked for as a sign of life, so that somebody misses it: "
        "`{env: NAME}` or `{file: PATH}`.",
    )
    every: Seconds = Field(default=60.0, ge=5, le=86400, description="How long it is between two signs of life.")
    weekly: bool = Field(default=True, description="Whether it is said once a week that all is well.")


class ContactFile(Settings):
    """A contact of the fire alarm at a GPIO pin."""

    pin: int = Field(ge=0, le=27, description="Number of the pin as Broadcom counts: 17 is GPIO17.", examples=["17"])
    alarm: Literal["open", "closed"] = Field(
        default="open", description="How the contact is at alarm. One that opens also tells a broken wire."
    )


class AlarmFile(Settings):
    """Who may raise the fire alarm."""

    contact: ContactFile | None = Field(default=None, description="A contact of the fire alarm at a GPIO pin.")
    signal: bool = Field(default=True, description="Whether a signal of the system does.")
    http: bool = Field(default=True, description="Whether a command at a control address does.")


class JournalFile(Settings):
    """What is remembered of what was played."""

    keep: Keep = Field(default=720.0, description="For how long; older records are DELETED.")
    resume: Absence = Field(
        default=1800.0,
        description="After an absence up to this long the music goes on at the very bar, after a longer one with the "
        "next turn.",
    )


class InstallationFile(Settings):
    """An installation: scenes, hours, loudness and outputs of one place."""

    perpetuum: Literal[1] = Field(description="Version of this language: 1.", examples=[1])
    title: str = Field(description="Name of the installation.", min_length=1, examples=["Foyer"])
    scenes: dict[str, Any] = Field(
        description="What is played: scenes by name; a name alone will do.", min_length=1, max_length=MOST_SCENES
    )
    order: Order = Field(
        default=Order.FILE,
        description="How scenes follow that do not say what follows them: as they stand in the `file`, or at `random`, "
        "by their weights, none twice in a row. Each opening begins anew.",
    )
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="Decides every choice of scenes and their seeds.")
    transition: Any = Field(default=None, description="From one scene to the next.")
    longest_wait: Seconds = Field(
        default=120.0,
        le=1800,
        description="How long a section of the last scene may still take; then the next bar line will do.",
    )
    time_zone: str = Field(default="", description="Whose clock the hours follow; without it, the machine's.")
    unknown_time: UnknownTime = Field(
        default=UnknownTime.OPEN,
        description="While the machine does not know what time it is: play as on an `open` day, or be `closed`.",
    )
    hours: Any = Field(
        default=None,
        description="When it is open, by days: `{every_day: 10:00..18:00, monday: closed}`. A narrower name counts "
        "more, and a day that is not named is closed. Without hours it is always open.",
    )
    exceptions: Any = Field(
        default=(),
        description="Days with other hours, or `closed`: a date, `2026-12-24`, one of every year, `12-25`, or a "
        "stretch, `2026-12-20..2027-01-06`. The narrower counts.",
    )
    fades: FadesFile = Field(default=FadesFile(), description="At the edges of the hours.")
    outside: OutsideFile | None = Field(
        default=None, description="What sounds while it is closed; without it, nothing."
    )
    quiet: QuietFile = Field(default=QuietFile(), description="Quiet mode, and quiet hours.")
    loudness: LoudnessFile = Field(default=LoudnessFile(), description="How loud it is, over the day.")
    staff: StaffFile = Field(
        default=StaffFile(), description="By how much staff may move the volume, until the next opening."
    )
    buttons: ButtonsFile = Field(default=ButtonsFile(), description="Buttons for staff, and a light, at GPIO pins.")
    ear: HearingFile = Field(default=HearingFile(), description="What the ear takes for a fault, and the level.")
    output: Any = Field(
        default="auto",
        description="Where the sound goes: `KIND[:ARGUMENT]` as for `--output`, or a mapping. One that keeps time.",
    )
    followers: Any = Field(
        default=(), description="Outputs that follow it, such as recordings: `[wav:/srv/takes/]`, or mappings."
    )
    mono: bool = Field(default=False, description="Both channels are one, for a single loudspeaker.")
    mixer: MixerFile = Field(
        default=MixerFile(), description="The mixer between the output and the loudspeaker, which is watched."
    )
    microphone: MicrophoneFile | None = Field(
        default=None, description="A microphone in the room, which is compared with what is sent."
    )
    amplifier: AmplifierFile | None = Field(
        default=None, description="The power of an amplifier, by a relay or a command."
    )
    ups: UpsFile | None = Field(
        default=None, description="A power supply with a battery, which says when the mains have failed."
    )
    restart: RestartFile | None = Field(
        default=None, description="A planned restart of all processes, in closed hours."
    )
    state: str = Field(
        default="",
        description="Folder of what it remembers. Without it, that of systemd (`STATE_DIRECTORY`), or "
        "`~/.local/state/perpetuum/NAME`.",
    )
    journal: JournalFile = Field(default=JournalFile(), description="What is remembered of what was played.")
    log: LogFile = Field(default=LogFile(), description="How its log is written.")
    listen: Any = Field(default=None, description="Who may ask and command over HTTP.")
    pool: Any = Field(
        default=None,
        description="Other machines that make phrases; while none answers, the networks of this one play.",
    )
    notices: Any = Field(
        default=None, description="Who is told when something breaks: by mail, a webhook, or a ping that stops."
    )
    mqtt: Any = Field(default=None, description="A broker by which it is watched and steered from afar.")
    alarm: AlarmFile = Field(
        default=AlarmFile(), description="Who may raise the fire alarm, which silences everything."
    )
    fallback_bank: Bank = Field(
        default=60.0,
        description="How much raw sound is rendered at the first healthy start, for when no sound can be made; `off` "
        "for none.",
    )

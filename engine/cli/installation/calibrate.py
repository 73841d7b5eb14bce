"""`perpetuum calibrate`: what a meter in the room shows, so that loudness may be said in dB(A)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli.common import warn
from engine.cli.numbers import Number

if TYPE_CHECKING:
    from engine.installation.choices.calibration import Calibration
    from engine.installation.installation import Installation

EXAMPLES = """
\b
Examples:
  perpetuum calibrate foyer.yaml               pink noise; type what the meter shows, and see the line for the file
  perpetuum calibrate foyer.yaml --write       the same, and put it into the file
  perpetuum calibrate foyer.yaml --at -30      softer
  perpetuum calibrate foyer.yaml --reading 68 --at -20 --write    of a reading that was taken before; no noise
"""


@click.command(epilog=EXAMPLES)
@click.argument("installation")
@click.option("--at", type=Number(-60, -8), help="Loudness of the noise, in LUFS; without it, the loudest target.")
@click.option("--seconds", type=Number(5, 3600), default=120.0, show_default=True, help="For how long at most.")
@click.option("--reading", type=Number(20, 130), help="What the meter showed, in dB(A); then no noise is played.")
@click.option("--write", is_flag=True, help="Put the line into the file; all else in it stays as it is.")
def command(installation: str, at: float | None, seconds: float, reading: float | None, write: bool) -> None:
    """Play pink noise through the output of INSTALLATION, and take one reading of a meter where people stand.

    The meter is set to A weighting and slow, or to an average (LAeq). The installation must not be running. The noise
    comes softly and never passes the file's ceiling and limit. Ctrl-C ends it at any time.
    """
    from engine import assets
    from engine.errors import PerpetuumError
    from engine.installation.calibrating.writing import by_hand, calibration_words, read_to_calibrate, with_calibration
    from engine.installation.choices.calibration import Calibration
    from engine.output_file import Target, write_text
    from engine.scenes.text.source import SourceFile

    path = assets.installation(installation)
    found, _ = read_to_calibrate(path)
    if found is None:
        raise PerpetuumError(f"{path} is not valid", f"perpetuum check {installation} says why")
    loudness = found.loudness.loudest if at is None else at
    if write:  # said before anybody has walked about with a meter
        Target(path)
        with_calibration(SourceFile.read(path).text, Calibration(60.0, -20.0))
    if reading is None:
        reading = _read(found, loudness, seconds)
    calibration = Calibration(round(reading, 1), round(loudness, 2))
    if not write:
        click.echo(f"loudness:\n  calibration: {calibration_words(calibration)}")
    else:
        try:  # somebody may have edited the file meanwhile
            write_text(path, with_calibration(SourceFile.read(path).text, calibration))
        except PerpetuumError as error:
            raise PerpetuumError(error.message, by_hand(calibration)) from None
        click.echo(f"{path}: calibration: {calibration_words(calibration)}")
    _tell(calibration)


def _tell(calibration: Calibration) -> None:
    from engine.installation.choices.calibration import loudness_words

    shown = ", ".join(loudness_words(lufs, calibration) for lufs in (-20.0, -26.0, -32.0))
    click.echo(f"So {shown}. `target` and `limit` may now be said in dBA.", err=True)


def _read(installation: Installation, loudness: float, seconds: float) -> float:
    """What the meter shows while noise sounds."""
    from datetime import UTC, datetime

    from engine.errors import PerpetuumError
    from engine.installation.calibrating.playing import NoisePlaying, loud_enough
    from engine.installation.hours.timetable import Timetable
    from engine.installation.keeper.folder.folder import StateFolder

    intent = Timetable(installation).intent(datetime.now(UTC))
    noise = loud_enough(installation, loudness, intent.ceiling, intent.most)
    folder = StateFolder(installation.state)
    folder.lock()
    try:
        _open_mixer(installation)
        with NoisePlaying(installation, noise, seconds) as playing:
            click.echo(f"Pink noise of {loudness:g} LUFS to {playing.output}, for {seconds:g} s at most.", err=True)
            if playing.wait(1.0) or playing.lost:
                raise PerpetuumError(f"nobody can hear the noise: {playing.lost}", "perpetuum doctor INSTALLATION")
            shown = click.prompt("What does the meter show, in dB(A)", type=Number(20, 130), err=True)
            if why := playing.worthless():
                raise PerpetuumError(
                    f"{shown:g} dB(A) is not taken: {why}",
                    f"again, with more time: --seconds 600; or, if the meter was read while all sounded: --reading "
                    f"{shown:g} --at {loudness:g}",
                )
            return shown
    finally:
        folder.close()


def _open_mixer(installation: Installation) -> None:
    """Set the mixer as the installation does, so that the reading holds for it."""
    from engine.health.mixer.mixer import OutputMixer
    from engine.health.mixer.watch import MixerWatch

    level = installation.proof.mixer.level
    if level is None:
        warn("the mixer is left as it is; with a `level` in `mixer` of the installation file the reading stays true")
        return
    output = installation.sound.output
    mixer = OutputMixer(output.argument if output.kind == "device" else None, installation.proof.mixer.control)
    MixerWatch(mixer, level).look()

"""The flags of Magenta's commands: they are taken, do what they meant, and the new spelling is told once.

Source: the flags of magenta 2.1's `melody_rnn_generate`, `drums_rnn_generate`, `improv_rnn_generate`,
`polyphony_rnn_generate`, `performance_rnn_generate`, `pianoroll_rnn_nade_generate` and `music_vae_generate`.
"""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from engine.cli.music.sampling import say

_OPTIONS = {
    "bundle_file": "--checkpoint",
    "checkpoint_file": "--checkpoint",
    "run_dir": "--checkpoint",
    "output_dir": "--output",
    "num_outputs": "--num-outputs",
    "num_steps": "--num-steps",
    "primer_midi": "--primer",
    "primer_melody": "--primer",
    "primer_drums": "--primer",
    "primer_pitches": "--primer",
    "primer_pianoroll": "--primer",
    "backing_chords": "--chords",
    "beam_size": "--beam-size",
    "branch_factor": "--branch-factor",
    "steps_per_iteration": "--steps-per-iteration",
    "notes_per_second": "--notes-per-second",
    "pitch_class_histogram": "--pitch-classes",
    "input_midi_1": "",
    "input_midi_2": "",
}
"""What they are called here; "" for an argument without a name."""
_SWITCHES = {"condition_on_primer": "--condition-on-primer", "inject_primer_during_generation": "--inject-primer"}
_PATHS = {"bundle_file", "checkpoint_file", "run_dir", "output_dir", "primer_midi", "input_midi_1", "input_midi_2"}
_NOTHING_HERE = {
    *("log", "hparams", "generator_id", "max_batch_size", "bundle_description", "mode"),
    *("save_generator_bundle", "render_chords", "disable_conditioning"),
}
_BOOLEANS = {"save_generator_bundle", "render_chords", *_SWITCHES}
_FALSE = {"false", "0", "f", "no", "n"}
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


class TakesMagentaFlags(click.Command):
    """A command that takes Magenta's flags beside its own options, where it has options that mean the same."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        self._spoken = f"perpetuum {ctx.info_name}"
        return super().parse_args(ctx, self._translated(args))

    def _translated(self, args: Sequence[str]) -> list[str]:
        """Arguments in our spelling; the hint is said if any was in Magenta's."""
        known = {option for parameter in self.params for option in parameter.opts}
        named, places, nothing, steps_per_chord = [], [], [], None
        words = iter(args)
        for word in words:
            if word == "--":
                named += ["--", *words]
                break
            match = re.fullmatch(r"--(\w+)(?:=(.*))?", word, re.DOTALL)
            flag, value = (match[1], match[2]) if match else ("", None)
            if flag.removeprefix("no") in _BOOLEANS and flag not in _BOOLEANS:
                flag, value = flag.removeprefix("no"), "false"
            if flag in _BOOLEANS:
                value = "true" if value is None else value
            elif flag in _OPTIONS or flag in _NOTHING_HERE or flag == "steps_per_chord":
                value = next(words, "") if value is None else value
            if flag == "steps_per_chord":
                steps_per_chord = value
            elif flag in _NOTHING_HERE:
                nothing.append(f"--{flag}")
                self._check_mode(flag, str(value))
            elif flag in _SWITCHES and _SWITCHES[flag] in known:
                self._switch(named, _SWITCHES[flag], str(value))
            elif flag in _OPTIONS and "_" in flag and value is not None:
                self._take(flag, value, known, named, places)
            else:
                named.append(word)
                continue
        if steps_per_chord is not None:
            _lengthen(named, steps_per_chord)
        places = [value for _, value in sorted(places)]
        if not (places or nothing or steps_per_chord is not None or named != list(args)):
            return list(args)
        found = [*places, *named]
        left = f"; {', '.join(nothing)} {'says' if len(nothing) == 1 else 'say'} nothing here" if nothing else ""
        say([f"Magenta's flags are taken; here they are: {self._spoken} {shlex.join(found)}{left}"])
        return found

    def _take(self, flag: str, value: str, known: set[str], named: list[str], places: list[tuple[str, str]]) -> None:
        option = _OPTIONS[flag]
        if flag in _PATHS:
            value = str(Path(value).expanduser())
        if flag == "run_dir" and (Path(value) / "train").is_dir():
            value = str(Path(value) / "train")
        if flag in ("primer_pitches", "primer_pianoroll"):
            value = _as_pattern(flag, value)
        if flag == "pitch_class_histogram":
            value = value.strip("[] ")
        if flag == "num_outputs" and "--steps" in known:
            option = "--steps"  # of an interpolation
        if not option or (flag == "primer_midi" and option not in known):
            option = ""
        if not option and any(parameter.name in ("file", "first") for parameter in self.params):
            places.append((flag, value))
        elif option in known:
            named += [option, value]
        else:
            raise click.UsageError(f"Magenta's --{flag} says nothing to `{self._spoken}`")

    def _switch(self, named: list[str], option: str, value: str) -> None:
        if value.lower() not in _FALSE:
            named.append(option)
        elif any(f"--no-{option[2:]}" in parameter.secondary_opts for parameter in self.params):
            named.append(f"--no-{option[2:]}")

    def _check_mode(self, flag: str, value: str) -> None:
        if flag == "mode" and value == "interpolate" and not self._spoken.endswith("interpolate"):
            raise click.UsageError("--mode=interpolate is `perpetuum interpolate FIRST LAST` here")


def _lengthen(named: list[str], steps: str) -> None:
    """Give chords the length that Magenta's --steps_per_chord says, in sixteenths."""
    if not steps.isdecimal() or not int(steps):
        raise click.UsageError(f"--steps_per_chord {steps!r} is no number of sixteenths")
    if "--chords" in named:
        place = named.index("--chords") + 1
        named[place] = " ".join(f"{chord}:{int(steps) / 4:g}" for chord in named[place].split())


def _as_pattern(flag: str, text: str) -> str:
    """A chord of a quarter note, or chords of a sixteenth each, in our notation."""
    try:
        given = ast.literal_eval(text.strip())
        if flag == "primer_pitches":
            return _chord(given, "1")
        steps = [tuple(sorted(step)) for step in given]
        return " ".join(_chord(step, f"{len(list(same))}/4") for step, same in itertools.groupby(steps))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        like = "[60, 64, 67]" if flag == "primer_pitches" else "[(60, 64), (60, 64), ()]"
        raise click.UsageError(f"--{flag} {text!r} cannot be read; it is like '{like}'") from error


def _chord(pitches: Sequence[int], length: str) -> str:
    if not all(isinstance(pitch, int) and 0 <= pitch <= 127 for pitch in pitches):
        raise ValueError("a pitch is a number from 0 to 127")
    notes = [f"{_NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in pitches]
    if not notes:
        return f"~:{length}"
    return f"{notes[0]}:{length}" if len(notes) == 1 else f"[{' '.join(notes)}]:{length}"

"""One tune of ABC: its fields and symbols, in order, make its voices."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from engine.score.midi.reading import MAX_BEATS
from engine.score.midi.smf import MAX_NOTES
from engine.training.datasets.formats.abc.fields import (
    Signature,
    Staff,
    default_unit,
    parse_key,
    parse_meter,
    parse_staff,
    parse_tempo,
    parse_unit,
)
from engine.training.datasets.formats.abc.macros import MOST, expand, parse_macro
from engine.training.datasets.formats.abc.symbols import AbcWritten, Symbol, SymbolError, length_of, symbols_of, written
from engine.training.datasets.formats.abc.text import BEFORE, AbcLine, field_of, kind_of_line, lines_of, without_breaks
from engine.training.datasets.formats.abc.voices import AbcEvent, AbcVoice, Bars, Change
from engine.training.datasets.score import LeftOut, UnusableError

_TEXTS = frozenset("ABCDEFGHNORSTWXZPrs")
"""Fields that change no note."""
_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
"""In the time of how many the notes of a tuplet are; of those that are not here it depends on the meter."""


class Tune:
    """What one tune says, read line by line.

    Args:
        text: of the tune, behind the header of its file.

    Attributes:
        voices: by name, in order.
        number, title: after X: and T:.
        left_out: what was left out, each at its place.
        drum_clef: "line:column" of the first clef of drums.

    Raises:
        UnusableError: something that would change notes cannot be read; its place is "line:column" of the file.
    """

    def __init__(self, text: str) -> None:
        self.voices: dict[str, AbcVoice] = {}
        self.number = self.title = ""
        self.left_out: list[LeftOut] = []
        self.drum_clef = ""
        self._meter: tuple[int, int] | None = None
        self._unit: Fraction | None = None
        self._tempo: tuple[str, Fraction] | None = None
        self._declared: dict[str, Staff] = {}
        self._macros: dict[str, str] = {}
        self._first = AbcVoice("", Fraction(1, 2), None, Signature())
        self._voice: AbcVoice | None = None
        self._in_body = False
        self._propagation = "pitch"
        self._breaks = False
        self._notes = 0
        self._line_number = self._column = 0
        self._places: list[int] | None = None
        self._read(text)

    def _read(self, text: str) -> None:
        ended = False
        for line in lines_of(text):
            self._line_number, self._column, self._places = line.number, 0, None
            try:
                if not line.text.strip():
                    ended = ended or self._in_body
                elif ended:
                    self._leave_out(f"a line of {kind_of_line(line.text)} after an empty line, which ends a tune")
                else:
                    self._line(line)
            except SymbolError as error:
                raise UnusableError(str(error), f"{line.number}:{error.column + 1}") from None
            except UnusableError as error:
                raise UnusableError(str(error), error.place or f"{line.number}:1") from None

    def _place(self, column: int | None = None) -> str:
        """Line and column, from 1, of a column of the line that is read (from 0, behind its macros)."""
        column = self._column if column is None else column
        return f"{self._line_number}:{(self._places[column] if self._places else column) + 1}"

    def _leave_out(self, what: str, column: int | None = None) -> None:
        self.left_out.append(LeftOut(what, place=self._place(column)))

    def _line(self, line: AbcLine) -> None:
        if line.text.startswith(BEFORE):
            number, _, text = line.text.removeprefix(BEFORE).partition(" ")
            if number.isdecimal():
                what = f"a line of {kind_of_line(text)} before the first tune (a tune begins with X:)"
                self.left_out.append(LeftOut(what, place=f"{number}:1"))
        elif line.text.startswith("%%"):
            self._directive(line.text[2:])
        elif (found := field_of(line.text)) is not None:
            self._field(*found)
        else:
            if not self._in_body:
                self._leave_out("no key (K:) before the music")
                self._begin(Signature(), Staff())
            music = without_breaks(line.text) if self._breaks else line.text
            if self._macros:
                music, self._places = expand(music, self._macros)
            try:
                self._music(list(symbols_of(music)))
            except SymbolError as error:
                if self._places:
                    error.column = self._places[error.column]
                raise

    # -- fields

    def _field(self, letter: str, value: str) -> None:
        match letter:
            case "X" if not self._in_body:
                self.number = value
            case "T":
                self.title = self.title or value
            case "M":
                meter = parse_meter(value)
                if not self._in_body:
                    self._meter = meter
                elif meter != self.voice.meter:
                    self.voice.meter = meter
                    self.voice.items.append(Change("meter", meter))
            case "L":
                if value.lower() == "auto":
                    return
                unit = parse_unit(value)
                if self._in_body:
                    self.voice.unit = 4 * unit
                else:
                    self._unit = unit
            case "Q":
                self._tempo_field(value)
            case "K":
                self._key(value)
            case "V":
                self._voice_field(value)
            case "I":
                self._directive(value)
            case "U":
                pass  # all that it may define are decorations and annotations
            case "m":
                if (macro := parse_macro(value)) is not None:
                    self._macros[macro[0]] = macro[1]
                    if len(self._macros) > MOST:
                        raise UnusableError(f"more than {MOST} macros")
            case "w":
                if self._in_body:
                    self.voice.is_sung = True
            case "s":
                if '"' in value:
                    self._leave_out("chord symbols in a line of symbols (s:)")
            case _ if letter not in _TEXTS:
                self._leave_out(f"an unknown field {letter}:")

    def _tempo_field(self, value: str) -> None:
        if not self._in_body:
            self._tempo = (value, Fraction(0))
        elif (qpm := parse_tempo(value, self.voice.unit / 4)) is not None:
            self.voice.items.append(Change("tempo", qpm))

    def _key(self, value: str) -> None:
        signature, staff = parse_key(value)
        self._note_drums(staff)
        if staff.unknown:
            self._leave_out(f"a word in K: that is not understood ({staff.unknown[0][:12]!r})")
        if not self._in_body:
            self._begin(signature or Signature(), staff)
            return
        self.voice.apply(staff)
        if signature is not None:
            self.voice.sign(signature)
            self.voice.items.append(Change("key", self._sounding(signature)))

    def _note_drums(self, staff: Staff) -> None:
        if staff.is_drum and not self.drum_clef:
            self.drum_clef = self._place()

    def _begin(self, signature: Signature, staff: Staff) -> None:
        """End the header."""
        self._in_body = True
        unit = self._unit or default_unit(self._meter)
        first = self._first
        first.unit, first.meter, first.signature = 4 * unit, self._meter, signature
        first.apply(staff)
        for name, declared in self._declared.items():
            self._new_voice(name).apply(declared)
        if not self._declared:
            self._new_voice("1")
        self._voice = next(iter(self.voices.values()))
        for voice in self.voices.values():
            if (found := self._sounding(signature, voice)) is not None:
                voice.items.insert(0, Change("key", found))
        if self._tempo is not None and (qpm := parse_tempo(self._tempo[0], unit)) is not None:
            self._voice.items.append(Change("tempo", qpm))

    @property
    def voice(self) -> AbcVoice:
        """The one that is written at present."""
        assert self._voice is not None
        return self._voice

    def _new_voice(self, name: str) -> AbcVoice:
        first = self._first
        voice = replace(first, name=name, items=[], tuplets=[], _bar={}, _tied={})
        if first.meter is not None:
            voice.items.append(Change("meter", first.meter))
        self.voices[name] = voice
        return voice

    def _voice_field(self, value: str) -> None:
        name, _, parameters = value.partition(" ")
        staff = parse_staff(parameters)
        self._note_drums(staff)
        if name == "*" or not name:
            self._leave_out("a voice (V:) without a name of its own")
            return
        if not self._in_body:
            self._declared[name] = staff
            return
        if name not in self.voices:
            # What came before the first V: belongs to no voice of its own, unless there is music in it.
            only = self.voices.get("1")
            if len(self.voices) == 1 and only is not None and not any(isinstance(i, AbcEvent) for i in only.items):
                del self.voices["1"]
                only.name = name
                self.voices[name] = only
            else:
                self._new_voice(name)
                key = self._sounding(self._first.signature, self.voices[name])
                if key is not None:
                    self.voices[name].items.append(Change("key", key))
        self._voice = self.voices[name]
        self._voice.apply(staff)

    def _sounding(self, signature: Signature, voice: AbcVoice | None = None) -> int | None:
        """Sharps of the key that sounds, of one that is written."""
        if signature.fifths is None:
            return None
        moved = signature.fifths + 7 * (voice or self.voice).semitones
        return signature.fifths if not (voice or self.voice).semitones % 12 else (moved + 5) % 12 - 5

    def _directive(self, text: str) -> None:
        words = text.split()
        match words:
            case ["propagate-accidentals", ("not" | "octave" | "pitch") as how, *_]:
                self._propagation = how
            case ["MIDI", "program", *numbers] if numbers and numbers[-1].isdecimal():
                if int(numbers[-1]) < 128:
                    self._current.program = int(numbers[-1])
            case ["MIDI", "channel", number, *_]:
                self._current.is_drum = number == "10"
            case ["MIDI", "transpose" | "rtranspose", number, *_] if re.fullmatch(r"[+-]?\d{1,2}", number):
                self._current.played_higher = int(number)
            case ["MIDI", "drummap" | "c", *_]:
                self._leave_out(f"%%MIDI {words[1]}")
            case ["linebreak", *breaks]:
                self._breaks = "!" in breaks
            case ["abc-include", *_]:
                self._leave_out("a file that is included")

    @property
    def _current(self) -> AbcVoice:
        return self._voice or self._first

    # -- music

    def _music(self, symbols: list[Symbol]) -> None:
        place = 0
        while place < len(symbols):
            symbol = symbols[place]
            place += 1
            match symbol.kind:
                case "note":
                    note = written(symbol)
                    tied = place < len(symbols) and symbols[place].kind == "tie"
                    self._sound(note.length, [note], {0} if tied else set(), symbol.column)
                    place += tied
                case "chord":
                    end = next(k for k in range(place, len(symbols)) if symbols[k].kind == "]")
                    after = end + 1 < len(symbols) and symbols[end + 1].kind == "tie"
                    self._chord(symbols[place : end + 1], after)
                    place = end + 1 + after
                case "rest":
                    self.voice.add(length_of(symbol.text[1:], symbol.column), [])
                case "bars":
                    self._bars(symbol)
                case "bar":
                    number = re.search(r"\d+", symbol.text)
                    self.voice.bar(other_ending=number is not None and int(number[0][:6]) > 1)
                case "ending":
                    if symbol.text[1:2] != "1":
                        self.voice.bar(other_ending=True)
                case "field":
                    self._inline(symbol)
                case "text":
                    self._text(symbol)
                case "tuplet":
                    self._tuplet(symbol)
                case "broken":
                    self._broken(symbol)
                case "overlay":
                    self.voice.overlay(self._place(symbol.column))
                case "overlays":
                    raise SymbolError("a voice overlay over several bars", symbol.column)
                case "grace":
                    self._grace(symbol)
                case "reserved" | "unknown" if symbol.text != "!":
                    self._leave_out(f"{symbol.text!a}, which means nothing", symbol.column)

    def _sound(self, length: Fraction, notes: list[AbcWritten], tied: set[int], column: int) -> None:
        voice = self.voice
        sounding = [(voice.pitch(note, self._propagation), note) for note in notes]
        for pitch, _ in sounding:
            if not length or not 0 <= pitch <= 127:
                self._leave_out("a note of no length, or out of range", column)
        event = voice.add(length, sounding)
        voice.tie(event, sounding, tied)
        self._notes += len(notes)
        if self._notes > MAX_NOTES:
            raise UnusableError(f"more than {MAX_NOTES} notes")

    def _chord(self, symbols: list[Symbol], tied: bool) -> None:
        """Notes between "[" and "]": all of them as long as the first."""
        notes, ties = [], set()
        for symbol in symbols:
            if symbol.kind == "note":
                notes.append(written(symbol))
            elif symbol.kind == "tie" and notes:
                ties.add(len(notes) - 1)
            elif symbol.kind == "text":
                self._text(symbol)
        if not notes:
            return
        length = notes[0].length * length_of(symbols[-1].text, symbols[-1].column)
        self._sound(length, notes, set(range(len(notes))) if tied else ties, symbols[0].column)

    def _bars(self, symbol: Symbol) -> None:
        count = int(symbol.text[1:7] or 1)
        if len(symbol.text) > 6 or count * self.voice.bar_length > MAX_BEATS:
            raise SymbolError("a rest of too many bars", symbol.column)
        if self.voice.meter is None:
            self._leave_out("a rest of whole bars in free meter, taken as bars of 4/4", symbol.column)
        self.voice.items.append(Bars(count, self.voice.bar_length))

    def _inline(self, symbol: Symbol) -> None:
        self._column = symbol.column
        try:
            self._field(symbol.text[1], symbol.text[3:-1].strip())
        except UnusableError as error:
            raise SymbolError(str(error), symbol.column) from None

    def _text(self, symbol: Symbol) -> None:
        """A chord symbol; texts that begin with a sign of their place are annotations."""
        text = symbol.text[1:-1]
        if text.strip() and text[0] not in "^_<>@":
            value = (text.strip(), self.voice.semitones, self._place(symbol.column))
            self.voice.items.append(Change("chord", value))

    def _tuplet(self, symbol: Symbol) -> None:
        numbers = [int(each) if each else 0 for each in symbol.text[1:].split(":") if len(each) < 4]
        notes, times, count = [*numbers, 0, 0][:3]
        times = times or _TIMES.get(notes, 3 if self.voice.is_compound else 2)
        if symbol.text.count(":") + 1 != len(numbers) or notes < 2:
            raise SymbolError("a tuplet that is not understood", symbol.column)
        if len(self.voice.tuplets) >= 4:
            raise SymbolError("tuplets within tuplets", symbol.column)
        self.voice.tuplets.append((Fraction(times, notes), count or notes))

    def _broken(self, symbol: Symbol) -> None:
        if len(symbol.text) > 6:
            raise SymbolError("a broken rhythm that is not understood", symbol.column)
        if self.voice.last is None:
            raise SymbolError("a broken rhythm without a note", symbol.column)
        short = Fraction(1, 2 ** len(symbol.text))
        before, after = (2 - short, short) if symbol.text[0] == ">" else (short, 2 - short)
        self.voice.last.length *= before
        self.voice.broken *= after

    def _grace(self, symbol: Symbol) -> None:
        """Grace notes are left out, but their accidentals hold to the end of the bar like any others."""
        for note in re.finditer(r"(\^\^?|__?|=)([A-Ga-g][,']*)", symbol.text):
            self.voice.pitch(written(Symbol("note", note[0], symbol.column)), self._propagation)

"""Facts about reading ABC, each derived from the standard 2.1 by hand."""

from __future__ import annotations

import re

import pytest

from engine.training.datasets.formats.abc import read_abc, split_tunes

# What sounds is written "60 62*2 [64 67] z*.5": MIDI pitches one after the other, "*" beats (1 without), chords, rests.
# Music alone stands behind the header X:1, M:4/4, L:1/4, K:C.
MUSIC = {
    # accidentals
    "an accidental holds to the bar line": ("^F F =F F|F _B B2|", "66 66 65 65 65 70 70*2"),
    "an accidental holds in all octaves": ("^F f F, f'|f4|", "66 78 54 90 77*4"),
    "a natural takes the key's sharp away until the bar line": ("[K:G]F =F F F|F4|", "66 65 65 65 66*4"),
    "double sharps and flats": ("^^F F __B B|F2 B2|", "67 67 69 69 65*2 71*2"),
    "an accidental of one letter leaves the others": ("^C D C D|", "61 62 61 62"),
    "a tied note keeps its accidental over the bar line": ("^F4-|F2 F2|", "66*6 65*2"),
    "an accidental in a chord holds for what follows": ("[C^F] F f F|", "[60 66] 66 78 66"),
    "an accidental in a tuplet holds for what follows": ("(3^FGF F2 z|", "66*2/3 67*2/3 66*2/3 66*2 z"),
    "every kind of bar line ends accidentals": (
        "^F2||F2|]^F2[|F2:|^F2|:F2::^F2|F2|",
        "66*2 65*2 66*2 65*2 66*2 65*2 66*2 65*2",
    ),
    "an accidental ends with its bar before a meter": ("^F4|\nM:3/4\nF3|", "66*4 65*3"),
    "the end of a line ends no bar": ("^F2\nF2|F4|", "66*2 66*2 65*4"),
    # bar lines, repeats, endings: written once
    "a double repeat loses nothing": ("C D E F::G A B c:|", "60 62 64 65 67 69 71 72"),
    "a repeat begins and ends": ("|:C D E F:|:G4:|", "60 62 64 65 67*4"),
    "repeats with two bars": ("|:C4:||:D4:|]", "60*4 62*4"),
    "repeats of three": ("|::C4::|D4|", "60*4 62*4"),
    "a thick bar line first": ("[|C4|]D4||E4|]", "60*4 62*4 64*4"),
    "a dotted bar line": ("C2.|D2|", "60*2 62*2"),
    "an invisible bar line": ("C2[|]D2|", "60*2 62*2"),
    "endings behind brackets": ("|:C4|[1D4:|[2E4|]", "60*4 62*4 64*4"),
    "endings behind bar lines": ("|:C4|1D4:|2E4||", "60*4 62*4 64*4"),
    "endings with spaces": ("|:C4| [1 D4 :| [2 E4 |]", "60*4 62*4 64*4"),
    "endings for many times": ("|:C4|[1,3D4:|[2,4E4:|[5-6F4|]", "60*4 62*4 64*4 65*4"),
    "a tie ends where an ending goes back": ("|:C4|[1D4-:|[2D4|]", "60*4 62*4 62*4"),
    "a tie into an ending": ("|:C2D2-|[1D4:|[2E4|]", "60*2 62*6 64*4"),
    # lengths
    "lengths": ("C/ D// E3/2 F/4 G3/4|A2 B4/|", "60*.5 62*.25 64*1.5 65*.25 67*.75 69*2 71*2"),
    "broken rhythms": ("C>D E<F|C>>D E<<F|C2>D2|", "60*1.5 62*.5 64*.5 65*1.5 60*1.75 62*.25 64*.25 65*1.75 60*3 62"),
    "thrice broken": ("C>>>D E<<<F|", "60*1.875 62*.125 64*.125 65*1.875"),
    "a broken rhythm between chords": ("[CE]>[DF] [CE]<G|", "[60 64]*1.5 [62 65]*.5 [60 64]*.5 67*1.5"),
    "a broken rhythm with rests": ("C>z z<D|", "60*1.5 z*.5 z*.5 62*1.5"),
    "a broken rhythm over grace notes and texts": ('C>{e}D C>"G"D|', "60*1.5 62*.5 60*1.5 62*.5"),
    "tuplets of all numbers": (
        "(2CD z|(3CDE z2|(4CDEF z|(6CDEFGA z2|(8CDEFGABc z|",
        "60*1.5 62*1.5 z 60*2/3 62*2/3 64*2/3 z*2 60*.75 62*.75 64*.75 65*.75 z 60*1/3 62*1/3 64*1/3 65*1/3 67*1/3 "
        "69*1/3 z*2 60*3/8 62*3/8 64*3/8 65*3/8 67*3/8 69*3/8 71*3/8 72*3/8 z",
    ),
    "tuplets whose time the meter decides": (
        "(5CDEFG z2|\nM:6/8\n(5CDEFG|",
        "60*.4 62*.4 64*.4 65*.4 67*.4 z*2 60*.6 62*.6 64*.6 65*.6 67*.6",
    ),
    "a tuplet with its time": ("(3:4CDE|", "60*4/3 62*4/3 64*4/3"),
    "a tuplet with its time and count": ("(3:2:4CDEF G|", "60*2/3 62*2/3 64*2/3 65*2/3 67"),
    "a tuplet with its count": ("(3::2C2D E|", "60*4/3 62*2/3 64"),
    "a tuplet with nothing but colons": ("(3::CDE F|", "60*2/3 62*2/3 64*2/3 65"),
    "chords and rests count in tuplets": ("(3[CE]zD F|", "[60 64]*2/3 z*2/3 62*2/3 65"),
    "a tuplet within a slur": ("((3CDE) F2|", "60*2/3 62*2/3 64*2/3 65*2"),
    "grace notes and texts do not count in tuplets": ('(3C{g}D"A"E F2|', "60*2/3 62*2/3 64*2/3 65*2"),
    "chords": ("[CEG]2[C2E2G2]|[CE]/[DF]3/2 z2|", "[60 64 67]*2 [60 64 67]*2 [60 64]*.5 [62 65]*1.5 z*2"),
    "lengths in a chord and behind it multiply": ("[C2E2]2|[C/E/]3z/|", "[60 64]*4 [60 64]*1.5 z*.5"),
    "rests": ("z C x D|z/ z3/2 x2|E4|", "z 60 z 62 z*.5 z*1.5 z*2 64*4"),
    "rests of whole bars": ("Z|C4|X2|D4|", "z*4 60*4 z*8 62*4"),
    "rests of whole bars in the meter of that place": ("[M:3/4]Z2|C3|", "z*6 60*3"),
    "ties": ("C-C D-D|E2-E-E|", "60*2 62*2 64*4"),
    "ties over bar lines and ends of lines": ("C4-|C4-|\nC4|", "60*12"),
    "a tie within a tuplet, and into a chord": ("C-(3CDE F|C2-[CE]2|", "60*5/3 62*2/3 64*2/3 65 60*4&z*4 z*2 64*2"),
    "a tie over a comment and an end of line": ("C4-|%x\n% y\nC4|", "60*8"),
    "a broken rhythm in a tuplet": ("(3C>DE z2|", "60 62*1/3 64*2/3 z*2"),
    "ties of chords": ("[CE]-[CE] [C-E]C|", "[60 64]*2 60*2&z*2 64"),
    # what makes no sound
    "decorations with names": ("!trill!C !>!D !f!E !crescendo(!F|!crescendo)!G4!fine!|", "60 62 64 65 67*4"),
    "decorations between plus signs": ("I:decoration +\n+trill+C +fermata+D +ppp+E F|", "60 62 64 65"),
    "decorations with one letter": ("~C HC LC MC|OC PC SC TC|uC vC .C C|", "60 60 60 60 60 60 60 60 60 60 60 60"),
    "decorations in and before chords": ("!arpeggio![CEG]T[CE]u.D2|", "[60 64 67] [60 64] 62*2"),
    "redefined letters": ("U:W = !wedge!\nU: n = !nothing!\nWC nD E F|", "60 62 64 65"),
    "a letter redefined as a text": ('U:T = "^ABC"\nTC D E F|', "60 62 64 65"),
    "spacers": ("C y D y5 E yF|", "60 62 64 65"),
    "remarks": ("[r:CDEF]C D[r: a remark]E F|\nr:GABc\nG4|", "60 62 64 65 67*4"),
    "grace notes": ("{g}C {/g}D {gab}E F{a}|{/gab}G4|", "60 62 64 65 67*4"),
    "accidentals of grace notes hold like others": ("{^f}f F f2|f4|", "78 66 78*2 77*4"),
    "slurs": ("(CD)(EF)|((C)D)(E(F)G).(A.B)|", "60 62 64 65 60 62 64 65 67 69 71"),
    "beams": ("C``D`E F|", "60 62 64 65"),
    "signs that are kept for later": ("C*D;E?F@|#G4|", "60 62 64 65 67*4"),
    "words and symbols under the notes": ("C D E F|\nw:A B C D\nW:C D E\ns:* !f! * *\nG4|", "60 62 64 65 67*4"),
    "comments": ("C D % E F\nE F|% G\n%G A\n G4|", "60 62 64 65 67*4"),
    "directives": ("%%MIDI program 40\nC D\n%%newpage\nE F|", "60 62 64 65"),
    "blocks of typeset text": ("C D\n%%begintext\nE F G\n%%endtext\nE F|", "60 62 64 65"),
    "lines that go on": ("C D \\\nE F|\\\n% a comment\nG4|", "60 62 64 65 67*4"),
    "fields that go on": ("C D E F|\nN:C D\n+:E F\nG4|", "60 62 64 65 67*4"),
    "fields about the tune among its music": ("C D E F|\nN:CDEF\nP:B\nT:C\nG4|", "60 62 64 65 67*4"),
    "ends of lines that are written": ("I:linebreak $\nC D$E F|$G4|", "60 62 64 65 67*4"),
    "exclamation marks that end lines": ('I:linebreak !\nCD!EF!"!"G2|', "60 62 64 65 67*2"),
    "exclamation marks that ended lines once": ("CD!EFGA!Bc|!ff!C!D|", "60 62 64 65 67 69 71 72 60 62"),
    # texts
    "chord symbols": ('"Am7"C "C/E"D "F#m7b5"E "N.C."F|', "60 62 64 65"),
    "chord symbols that have notes between them": ('"C"C"D"D"E"E"F"F|', "60 62 64 65"),
    "texts that look like music": ('"[K:D]"F "|:^C"F "!"F "{"F|"}"F2 "&"F2|', "65 65 65 65 65*2 65*2"),
    "annotations at all places": ('"^C"C "_D"D "<(" ">)"E "@1,2.5 G"F|', "60 62 64 65"),
    "two texts at a note": ('"C""^slow"C "D""E"D2 z|', "60 62*2 z"),
    "a quoted percent sign": ('"5\\%"C D E F|', "60 62 64 65"),
    # fields among the music
    "a key in brackets": ("F [K:D]F [K:F]B [K:C]B|", "65 66 70 71"),
    "a key on a line": ("F4|\nK:D\nF4|", "65*4 66*4"),
    "a key within a bar ends its accidentals": ("=f [K:D]f ^g [K:C]g|", "77 78 80 79"),
    "a clef within a bar ends none": ("^c [K:clef=bass]c c2|", "73 73 73*2"),
    "a clef alone leaves the key as it is": ("[K:D]F2 [K:clef=bass]F2|[K:treble]F4|", "66*2 66*2 66*4"),
    "a unit in brackets": ("C [L:1/8]C C [L:1/2]C|", "60 60*.5 60*.5 60*2"),
    "a unit on a line": ("C D E F|\nL:1/16\nC D E F|", "60 62 64 65 60*.25 62*.25 64*.25 65*.25"),
    "a meter in brackets changes no unit": ("C D E F|[M:6/8]C D E|", "60 62 64 65 60 62 64"),
    "tempo, part and instruction in brackets": ("[Q:1/4=90]C [P:B]D [I:MIDI program 3]E [N:GG]F|", "60 62 64 65"),
    "a field in brackets within a bar ends no accidental": ("^F [Q:1/4=90]F [P:A]F2|", "66 66 66*2"),
    "a macro": ("m: ~G3 = G{A}G{F}G\n~G3 c|", "67 67 67 72"),
    "a macro for any note": ("m: Tn2 = n/o/n/m/\nTC2 Tg2|", "60*.5 62*.5 60*.5 59*.5 79*.5 81*.5 79*.5 77*.5"),
    # octaves
    "octave marks": ("C,, C, C c c' c''|c, C' c,' z|", "36 48 60 72 84 96 60 72 72 z"),
}  # fmt: skip

KEYS = {
    # K: field, and the scale from C to b that it gives
    "C": "60 62 64 65 67 69 71",
    "": "60 62 64 65 67 69 71",
    "none": "60 62 64 65 67 69 71",
    "G": "60 62 64 66 67 69 71",
    "F#": "61 63 65 66 68 70 71",
    "Gb": "59 61 63 65 66 68 70",
    "Cb": "59 61 63 64 66 68 70",
    "C#": "61 63 65 66 68 70 72",
    "Am": "60 62 64 65 67 69 71",
    "F#m": "61 62 64 66 68 69 71",
    "Gmin": "60 62 63 65 67 69 70",
    "G minor": "60 62 63 65 67 69 70",
    "Bb major": "60 62 63 65 67 69 70",
    "BbMaj": "60 62 63 65 67 69 70",
    "A mixolydian": "61 62 64 66 67 69 71",
    "AMix": "61 62 64 66 67 69 71",
    "AMIX": "61 62 64 66 67 69 71",
    "Amixolydian": "61 62 64 66 67 69 71",
    "Ddor": "60 62 64 65 67 69 71",
    "A Dorian": "60 62 64 66 67 69 71",
    "EPhr": "60 62 64 65 67 69 71",
    "D phrygian": "60 62 63 65 67 69 70",
    "F Lydian": "60 62 64 65 67 69 71",
    "BLoc": "60 62 64 65 67 69 71",
    "C ionian": "60 62 64 65 67 69 71",
    "A aeolian": "60 62 64 65 67 69 71",
    "D exp ^f ^c": "61 62 64 66 67 69 71",
    "D exp _b _e ^f": "60 62 63 66 67 69 70",
    "D =c": "60 62 64 66 67 69 71",
    "D Phr ^f": "60 62 63 66 67 69 70",
    "Am ^g": "60 62 64 65 68 69 71",
    "HP": "61 62 64 66 67 69 71",
    "Hp": "61 62 64 66 67 69 71",
    "G clef=bass": "60 62 64 66 67 69 71",
    "G bass": "60 62 64 66 67 69 71",
    "G clef=alto": "60 62 64 66 67 69 71",
    "G treble-8": "48 50 52 54 55 57 59",
    "C clef=treble+8": "72 74 76 77 79 81 83",
    "C octave=-1": "48 50 52 53 55 57 59",
    "C octave=1": "72 74 76 77 79 81 83",
    "D transpose=-2": "59 60 62 64 65 67 69",
    "C transpose=3 clef=treble": "63 65 67 68 70 72 74",
    "C stafflines=1": "60 62 64 65 67 69 71",
    "C % a comment": "60 62 64 65 67 69 71",
}

UNITS = {
    # fields of the header, and the beats of a note without a length
    "M:2/4": 0.25,
     "M:3/4": 0.5, "M:6/8": 0.5, "M:5/8": 0.25, "M:4/8": 0.25, "M:9/16": 0.25, "M:12/8": 0.5, "M:4/4": 0.5,
    "M:C": 0.5, "M:C|": 0.5, "M:none": 0.5, "M:2/2": 0.5, "M:(2+3)/8": 0.25, "Z:no meter": 0.5, "L:1/4": 1.0,
    "M:2/4\nL:1/8": 0.5, "L:1/16\nM:4/4": 0.25, "L:1": 4.0, "L: 1/2": 2.0, "M:6/8\nQ:3/8=60": 0.5,
    "M:4/4\nQ:1/4=60": 0.5, "M: 3/4 % waltz": 0.5,
}  # fmt: skip

BOOKS = {
    "a header of the book holds for its tunes": (
        b"L:1/16\n\nX:1\nM:4/4\nK:C\nCD\n\nX:2\nL:1/4\nK:G\nF\n",
        ["60*.25 62*.25", "66"],
    ),
    "text between tunes is none": (
        b"A book.\n\nX:1\nL:1/4\nK:C\nC D\n\nC D E F\n\nX:2\nL:1/4\nK:C\nE",
        ["60 62", "64"],
    ),
    "tunes without an empty line between": (b"X:1\nL:1/4\nK:D\nF\nX:2\nL:1/4\nK:C\nF\n", ["66", "65"]),
    "lines end in CR LF": (b"X:1\r\nL:1/4\r\nK:C\r\nC D\\\r\nE|\r\n\r\nX:2\r\nL:1/4\r\nK:C\r\nF", ["60 62 64", "65"]),
    "lines end in CR": (b"X:1\rL:1/4\rK:C\rC D|\rE\r", ["60 62 64"]),
    "a byte order mark": (b"\xef\xbb\xbfX:1\nL:1/4\nK:C\nC", ["60"]),
    "Latin-1": (b"X:1\nT:Fr\xfchling\nL:1/4\nK:C\n\"^\xe9\"C D", ["60 62"]),
    "the charset that is said": (b"%abc-2.1\nI:abc-charset iso-8859-2\nX:1\nL:1/4\nK:C\nC\n", ["60"]),
    "UTF-16": ("X:1\nL:1/4\nK:C\nC D".encode("utf-16"), ["60 62"]),
    "no end of line at the end": (b"X:1\nL:1/4\nK:C\nC D", ["60 62"]),
    "fields that the key has not ended": (b"X:1\nT:a\nK:C\nM:3/4\nL:1/4\nC D E|", ["60 62 64"]),
}  # fmt: skip

VOICES = {
    "lines of voices": ("V:1\nC D\nV:2\nE F\nV:1\nG A|\nV:2\nB c|", ["60 62 67 69", "64 65 71 72"]),
    "voices in brackets": ("[V:1]C D E F|\n[V:2]G4|\n[V:1]C4|\n[V:2]c4|", ["60 62 64 65 60*4", "67*4 72*4"]),
    "accidentals are a voice's own": ("V:1\n^F F|\nV:2\nF F|", ["66 66", "65 65"]),
    "octaves of a voice": ("V:1\nC\nV:2 octave=-1\nC\nV:1\nD|\nV:2\nD|", ["60 62", "48 50"]),
    "a clef of a voice": ('V:1 clef=treble-8 name="Tenor"\nC\nV:2 clef=bass\nC,', ["48", "48"]),
    "a transposing voice": ("V:1 transpose=-2\nD\nV:2\nD", ["60", "62"]),
    "keys of a voice": ("V:1\n[K:D]F|F\nV:2\nF|F", ["66 66", "65 65"]),
    "an overlay goes back to the bar line": ("C D E F|C2 D2&E4|G4|", ["60 62 64 65 60*2 62*2 67*4&z*4 64*4 z*4"]),
    "two overlays": ("C4&E2 F2&G4|c4|", ["60*4 72*4&64*2 65*2&67*4"]),
}  # fmt: skip


def sounding(text: str) -> list[tuple[float, int, float]]:
    """(start, pitch, beats) of what sounds, in order; layers that begin together stand between "&"."""
    found = []
    for voice in text.split("&"):
        now = 0.0
        for chord, single, beats in re.findall(r"(?:\[([\d ]+)\]|(\d+|z))(?:\*([\d./]+))?", voice):
            top, _, bottom = (beats or "1").partition("/")
            length = float(top) / float(bottom or 1)
            found += [(now, int(pitch), length) for pitch in (chord or single).split() if pitch != "z"]
            now += length
    return sorted(found)


def heard(data: bytes) -> list[list[tuple[float, int, float]]]:
    """(start, pitch, beats) of each part."""
    return [
        sorted((start, pitch, end - start) for start, end, pitch, _ in part.notes.tolist())
        for part in read_abc(data).parts
    ]


def close(rows):
    return [(pytest.approx(start, abs=1e-5), pitch, pytest.approx(beats, abs=1e-5)) for start, pitch, beats in rows]


def first(data: bytes) -> bytes:
    return split_tunes(data)[0][1]


@pytest.mark.parametrize("name", MUSIC)
def test_music_is_read_as_the_standard_says(name):
    music, right = MUSIC[name]
    (part,) = heard(first(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n".encode()))
    assert part == close(sounding(right))


@pytest.mark.parametrize("key", KEYS)
def test_a_key_gives_the_scale_that_it_says(key):
    (part,) = heard(first(f"X:1\nL:1/4\nK:{key}\nC D E F G A B\n".encode()))
    assert part == close(sounding(KEYS[key]))


@pytest.mark.parametrize("fields", UNITS)
def test_a_note_without_length_is_as_long_as_the_header_says(fields):
    (part,) = heard(first(f"X:1\n{fields}\nK:C\nC2D\n".encode()))
    assert part == close([(0.0, 60, 2 * UNITS[fields]), (2 * UNITS[fields], 62, UNITS[fields])])


@pytest.mark.parametrize("name", BOOKS)
def test_a_book_is_read_tune_by_tune(name):
    data, right = BOOKS[name]
    assert [heard(tune) for _, tune in split_tunes(data)] == [[close(sounding(each))] for each in right]


@pytest.mark.parametrize("name", VOICES)
def test_voices_are_parts(name):
    music, right = VOICES[name]
    assert heard(first(f"X:1\nM:4/4\nL:1/4\nK:C\n{music}\n".encode())) == [close(sounding(each)) for each in right]


@pytest.mark.parametrize(("how", "right"), [("pitch", "66 78 66"), ("octave", "66 77 66"), ("not", "66 77 65")])
@pytest.mark.parametrize("field", ["%%propagate-accidentals {}\nK:C", "K:C\nI:propagate-accidentals {}"])
def test_how_far_accidentals_hold_can_be_said(field, how, right):
    (part,) = heard(first(f"X:1\nL:1/4\n{field.format(how)}\n^F f F\n".encode()))
    assert part == close(sounding(right))

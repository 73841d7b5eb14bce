"""MusicXML made ready for music21, which refuses or misreads some of what its standard (4.0) allows."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

from engine.training.datasets.score import LeftOut, UnusableError

_DIATONIC = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
"""Steps of the scale in so many semitones."""
_OF_CUES = ("cue", "tie", "notations", "lyric", "notehead", "play", "stem", "beam")
"""What a rest in the place of a cue note does not have."""


def prepared(text: str) -> tuple[str, tuple[LeftOut, ...]]:
    """MusicXML without what music21 reads wrongly.

    `<transpose>` gets its `<diatonic>`, which may be missing. Cue notes, which another instrument plays and are there
    to be seen, become rests. What `<accidental>` draws goes: music21 alters pitches after it, but `<alter>` alone says
    how a note sounds. In parts of several staves a note without `<staff>` is on the first; music21 has it on all.
    Scores that are written bar by bar (`<score-timewise>`) are turned into such that are written part by part. A bar
    lasts in all parts as long as in the one that fills it most; music21 lets those with less in it run ahead.

    Args:
        text: of a MusicXML file.

    Returns:
        The text, and what was left out: cue notes, and doublings that only a transposition tells of.

    Raises:
        ElementTree.ParseError: it is no XML.
        UnusableError: staves of one part are transposed differently.
    """
    root = ElementTree.fromstring(text)
    if root.tag == "score-timewise":
        root = _by_parts(root)
    for part in root.iter("part"):
        _agree(part)
    _align(list(root.iterfind("part")))
    doublings = [transpose for transpose in root.iter("transpose") if transpose.find("double") is not None]
    for transpose in root.iter("transpose"):
        if transpose.find("diatonic") is None:
            semitones = round(float(transpose.findtext("chromatic") or 0))
            octaves, rest = divmod(abs(semitones), 12)
            steps = 7 * octaves + _DIATONIC[rest]
            diatonic = ElementTree.Element("diatonic")
            diatonic.text = str(steps if semitones >= 0 else -steps)
            transpose.insert(0, diatonic)
    # Notes are in measures, or in the parts of measures.
    cues = sum(_without_cues(parent) for name in ("measure", "part") for parent in root.iter(name))
    for part in root.iter("part"):
        if any((staves.text or "").strip() not in ("", "1") for staves in part.iter("staves")):
            for note in part.iter("note"):
                if note.find("staff") is None:
                    ElementTree.SubElement(note, "staff").text = "1"
    for note in root.iter("note"):
        for accidental in note.findall("accidental"):
            note.remove(accidental)
    counts = {"a cue note, which another instrument plays": cues, "a doubling an octave away": len(doublings)}
    left_out = tuple(LeftOut(what, count) for what, count in counts.items() if count)
    return ElementTree.tostring(root, encoding="unicode"), left_out


def _by_parts(timewise: ElementTree.Element) -> ElementTree.Element:
    """The same score with the bars in its parts, not the parts in its bars."""
    root = ElementTree.Element("score-partwise", timewise.attrib)
    root.extend(child for child in timewise if child.tag != "measure")
    parts: dict[str, ElementTree.Element] = {}
    for measure in timewise.iterfind("measure"):
        for part in measure.iterfind("part"):
            name = part.get("id", "")
            if name not in parts:
                parts[name] = ElementTree.SubElement(root, "part", {"id": name})
            ElementTree.SubElement(parts[name], "measure", measure.attrib).extend(part)
    return root


def _align(parts: list[ElementTree.Element]) -> None:
    """Fill bars with a rest (music21 passes over a last `<forward>`) up to where the same bar of another part ends."""
    divisions = [Fraction(1) for _ in parts]
    for measures in zip(*(part.findall("measure") for part in parts), strict=False):
        spent: list[tuple[Fraction, Fraction]] = []
        for number, measure in enumerate(measures):
            now = end = Fraction(0)
            for child in measure:
                if child.tag == "attributes":
                    divisions[number] = _number(child.findtext("divisions")) or divisions[number]
                elif child.tag in ("note", "backup", "forward") and child.find("chord") is None:
                    length = _number(child.findtext("duration")) / divisions[number]
                    now = max(now - length if child.tag == "backup" else now + length, Fraction(0))
                    end = max(end, now)
            spent.append((now, end))
        longest = max(end for _, end in spent)
        for measure, (now, end), per_beat in zip(measures, spent, divisions, strict=True):
            if 0 < end < longest:
                rest = ElementTree.SubElement(measure, "note")
                ElementTree.SubElement(rest, "rest")
                ElementTree.SubElement(rest, "duration").text = f"{float((longest - now) * per_beat):g}"
                if voice := next((found.text for found in reversed(measure.findall("note/voice"))), None):
                    ElementTree.SubElement(rest, "voice").text = voice


def _number(text: str | None) -> Fraction:
    """A number that is there and not below 0; else 0, for what is wrong with it music21 tells."""
    try:
        return max(Fraction((text or "0").strip()), Fraction(0))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _agree(part: ElementTree.Element) -> None:
    """Refuse a part whose staves sound differently transposed: music21 transposes all of a part's alike."""
    staves = max((int(found.text or 1) for found in part.iter("staves")), default=1)
    for attributes in part.iter("attributes"):
        told = attributes.findall("transpose")
        numbers = {each.get("number", "all") for each in told}
        amounts = {(each.findtext("chromatic"), each.findtext("octave-change") or "0") for each in told}
        if len(amounts) > 1 or (told and "all" not in numbers and len(numbers) < staves):
            raise UnusableError("staves of one part that are transposed differently")


def _without_cues(parent: ElementTree.Element) -> int:
    """Make rests of the cue notes of a bar, so that what follows keeps its time; how many there were."""
    count, beside_cue = 0, False
    for note in list(parent.iterfind("note")):
        is_cue = note.find("cue") is not None
        chord = note.find("chord")
        if is_cue:
            count += note.find("rest") is None
            if chord is not None or note.find("grace") is not None:
                parent.remove(note)
            else:
                _silence(note)
        elif chord is not None and beside_cue:
            note.remove(chord)
            parent.insert(list(parent).index(note), _back(note))
        if chord is None:
            beside_cue = is_cue
        elif not is_cue:
            beside_cue = False
    return count


def _silence(note: ElementTree.Element) -> None:
    """Make a rest of a note."""
    for child in list(note):
        if child.tag in _OF_CUES:
            note.remove(child)
        elif child.tag in ("pitch", "unpitched"):
            child.clear()
            child.tag = "rest"


def _back(note: ElementTree.Element) -> ElementTree.Element:
    """What goes back to the beginning of a note that follows a rest of its length."""
    backup = ElementTree.Element("backup")
    ElementTree.SubElement(backup, "duration").text = note.findtext("duration")
    return backup

"""MusicXML made ready for music21, which refuses or misreads some of what its standard (4.0) allows."""

from __future__ import annotations

from xml.etree import ElementTree

_DIATONIC = (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)
"""Steps of the scale in so many semitones."""
_OF_CUES = ("cue", "tie", "notations", "lyric", "notehead", "play", "stem", "beam")
"""What a rest in the place of a cue note does not have."""


def prepared(text: str) -> tuple[str, int]:
    """MusicXML without what music21 reads wrongly.

    `<transpose>` gets its `<diatonic>`, which may be missing. Cue notes, which another instrument plays and are there
    to be seen, become rests. What `<accidental>` draws goes: music21 alters pitches after it, but `<alter>` alone says
    how a note sounds. In parts of several staves a note without `<staff>` is on the first; music21 has it on all.

    Args:
        text: of a MusicXML file.

    Returns:
        The text, and how many cue notes were left out.

    Raises:
        ElementTree.ParseError: it is no XML.
    """
    root = ElementTree.fromstring(text)
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
    return ElementTree.tostring(root, encoding="unicode"), cues


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

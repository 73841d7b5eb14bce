# pyright: strict
"""From drafts to the scene that plays: what is whole becomes values of `engine.form`, all else is a problem."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from engine.form.curves import DayMove
from engine.form.hearing import SceneHearing
from engine.form.scene import Part, Scene, Section, Tempo
from engine.generators.contract import Settings
from engine.scenes.reading.beginning import read_begin
from engine.scenes.reading.drafts import ChainDraft, PartDraft, SceneDraft, SectionDraft
from engine.scenes.reading.sections import default_next
from engine.scenes.schema.models import MixFile, NoteLimitsFile, SceneFile
from engine.scenes.text.diagnostics import nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Span, good, good_items, problems
from engine.scenes.text.source import SourceFile, clipped
from engine.sound.messages import Control, Duck, MixSound, PartSound

Whole = TypeVar("Whole")


def resolve(draft: SceneDraft, source: SourceFile) -> Scene | list[Problem]:
    """The scene of a draft, or all that it lacks.

    Args:
        draft: of the scene.
        source: its file; is told what only the whole scene shows to be wrong.
    """
    follows = default_next(draft.sections)
    parts = {name: _part(part) for name, part in draft.parts.items()}
    sections = {name: _section(section, follows[name]) for name, section in draft.sections.items()}
    wrong = problems((*parts.values(), *sections.values()))
    if wrong:
        return wrong
    head, tempo, key, dynamics = draft.head, draft.day.tempo, draft.day.key, draft.day.dynamics
    form, modulation = draft.form, draft.modulation
    moves: tuple[DayMove, ...] | Problem = _all_right(draft.day.moves)
    themes = draft.themes
    mix = head if isinstance(head, Problem) else _mix(draft, head, source)
    begin = None if isinstance(head, Problem) else read_begin(draft, head.begin, source)
    hearing = head if isinstance(head, Problem) else _hearing(draft, head, source)
    if (
        isinstance(head, Problem)
        or isinstance(tempo, Problem)
        or isinstance(key, Problem)
        or isinstance(dynamics, Problem)
        or isinstance(form, Problem)
        or isinstance(modulation, Problem)
        or isinstance(moves, Problem)
        or isinstance(mix, Problem)
        or isinstance(begin, Problem)
        or isinstance(hearing, Problem)
        or isinstance(themes, Problem)
    ):
        return problems((head, tempo, key, dynamics, form, modulation, moves, mix, begin, hearing, themes))
    right = good_items(sections)
    scene = Scene(
        path=source.path,
        title=head.title,
        credits=head.credits,
        seed=head.seed,
        meter=head.meter,
        tempo=head.tempo,
        key=head.key,
        opening=head.opening,
        begin=begin,
        parts=good_items(parts),
        sections=right,
        mix=mix,
        day=moves,
        day_tempo=tempo,
        day_key=key,
        hearing=hearing,
        themes=themes,
        day_dynamics=dynamics,
        modulation=modulation,
        period=head.period,
        rubato=head.rubato,
        form=form,
    )
    return replace(scene, parts=_with_filters(scene))


def _with_filters(scene: Scene) -> dict[str, Part]:
    """The parts, of which those whose brightness moves have one that can: 100 % where none is written.

    Of what is played at more than one level all are duller where it is softer.
    """
    moves = (*scene.day, *(move for section in scene.sections.values() for move in section.moves))
    moved = {move.part for move in moves if move.target == Control.BRIGHTNESS and move.transform is None}
    return {
        name: replace(part, sound=replace(part.sound, brightness=1.0))
        if (name in moved or scene.has_dynamics) and part.sound.brightness is None
        else part
        for name, part in scene.parts.items()
    }


def _all_right(found: tuple[Whole | Problem, ...]) -> tuple[Whole, ...] | Problem:
    """Values of which none is wrong, or the first that is."""
    wrong = problems(found)
    return wrong[0] if wrong else tuple(good(found))


def _part(draft: PartDraft) -> Part | Problem:
    chain, taken, instrument = draft.chain, draft.taken, draft.instrument
    file, generator = chain.file, chain.generator
    if isinstance(file, Problem):
        return file
    if isinstance(generator, Problem):
        return generator
    if isinstance(generator.settings, Problem):
        return generator.settings
    if isinstance(taken.chords, Problem):
        return taken.chords
    if isinstance(taken.primer, Problem):
        return taken.primer
    if isinstance(instrument, Problem):
        return instrument
    if isinstance(instrument.revision, Problem):
        return instrument.revision
    transforms = _transforms(chain)
    if isinstance(transforms, Problem):
        return transforms
    if wrong := problems(taken.links.values()):
        return wrong[0]
    return Part(
        name=chain.name,
        role=generator.role,
        generator=generator.kind.name,
        settings=generator.settings,
        sources={link: one.source for link, one in draft.links.items()},
        primer=taken.primer,
        phrase_bars=file.phrase,
        transforms=transforms,
        sound=PartSound(
            name=chain.name,
            instrument=str(instrument.path),
            revision=instrument.revision,
            stand_in=str(instrument.path) if instrument.timbre is not None else "",
            level=file.level,
            pan=file.pan,
            reverb=file.sends.reverb,
            delay=file.sends.delay,
            brightness=file.brightness,
        ),
        chords=taken.chords,
        timbre=instrument.timbre,
    )


def _transforms(chain: ChainDraft) -> tuple[tuple[str, Settings], ...] | Problem:
    """(kind, settings) of each transform."""
    if isinstance(chain.transforms, Problem):
        return chain.transforms
    found: list[tuple[str, Settings]] = []
    for item in chain.transforms:
        if isinstance(item, Problem):
            return item
        if isinstance(item.settings, Problem):
            return item.settings
        found.append((item.kind.name, item.settings))
    return tuple(found)


def _section(draft: SectionDraft, follower: str) -> Section | Problem:
    """A section.

    Args:
        draft: of it.
        follower: the section behind it in the file, which follows where the section does not say another.
    """
    file, players, moves = draft.file, _all_right(draft.players), _all_right(draft.moves)
    themes: tuple[str, ...] | Problem = _all_right(draft.themes)
    if isinstance(file, Problem):
        return file
    if isinstance(players, Problem):
        return players
    if isinstance(moves, Problem):
        return moves
    if isinstance(draft.next, Problem):
        return draft.next
    if isinstance(themes, Problem):
        return themes
    return Section(
        name=draft.written.name,
        bars=file.bars,
        parts=players,
        repeat=file.repeat,
        next=draft.next if draft.next is not None else {follower: 1.0},
        moves=moves,
        tempo=file.tempo,
        key=file.key,
        themes=themes,
        dynamics=file.dynamics,
    )


def _hearing(draft: SceneDraft, head: SceneFile, source: SourceFile) -> SceneHearing | Problem:
    ear = head.ear
    for place, name in enumerate(ear.left_out):
        if name not in draft.parts:
            node = draft.written.get("ear")
            names = node.get("left_out") if isinstance(node, MapNode) else None
            span = names.items[place].span if isinstance(names, ListNode) else draft.written.span
            known = ", ".join(f"`{part}`" for part in draft.parts)
            return source.error(
                span, f"there is no part `{clipped(name)}`", f"one of {known}", nearest(name, draft.parts)
            )
    said = {name: getattr(ear, name) for name in NoteLimitsFile.model_fields if name in ear.model_fields_set}
    return SceneHearing(**said, left_out=tuple(ear.left_out))


def _mix(draft: SceneDraft, head: SceneFile, source: SourceFile) -> MixSound | Problem:
    ducks: tuple[Duck, ...] | Problem = _all_right(draft.ducks)
    if isinstance(ducks, Problem):
        return ducks
    delay = _delay_time(head.mix, head.tempo)
    if not 0.01 <= delay <= 4:
        message = f"the delay of {delay:.3g} s is out of range"
        return source.error(_delay_span(draft.written), message, "10 ms to 4 s")
    mix = head.mix
    return MixSound(
        reverb_time=mix.reverb.time,
        reverb_brightness=mix.reverb.brightness,
        delay_time=delay,
        delay_feedback=mix.delay.feedback,
        level=mix.level,
        ducks=ducks,
    )


def _delay_time(mix: MixFile, tempo: Tempo) -> float:
    """Seconds between two echoes, in the middle of the tempo's range."""
    number, unit = mix.delay.time
    middle = (tempo.qpm.low + tempo.qpm.high) / 2
    return number * 60 / middle if unit == "beats" else number


def _delay_span(node: MapNode) -> Span:
    place: Node | None = node
    for key in ("mix", "delay", "time"):
        place = place.get(key) if isinstance(place, MapNode) else None
    return place.span if isinstance(place, ScalarNode) else node.span

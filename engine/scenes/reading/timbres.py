# pyright: strict
"""Timbres of a scene's parts: `instrument: {kind: …, stand_in: …}`."""

from __future__ import annotations

from engine.errors import PerpetuumError
from engine.form.scene import Timbre
from engine.generators.contract import Role, UnfitError
from engine.scenes.reading.drafts import ChainDraft, SceneReader
from engine.scenes.schema.kinds import find_kind
from engine.scenes.schema.models import TimbreFile
from engine.scenes.schema.validation import PLUG_IN_HINT, validate
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity
from engine.scenes.text.source import clipped
from engine.timbres.contract import TIMBRES, UnavailableError

_OWN = ("kind", "stand_in")


def read_timbre(reader: SceneReader, chain: ChainDraft, node: MapNode) -> tuple[Timbre | Problem, Node | None]:
    """The timbre of a part, and what names its stand-in.

    What its bank would be made with may not be here: that is noted, and the stand-in plays.

    Args:
        reader: the scene.
        chain: the part.
        node: value of its `instrument`.
    """
    source, at = reader.source, chain.written.node.key("instrument").span
    name, stand_in = node.get("kind"), node.get("stand_in")
    if not isinstance(name, ScalarNode):
        expected = "its name and settings, like `{kind: gansynth, checkpoint: acoustic_only, stand_in: glass_bell}`"
        wrong = source.error(at, f"the timbre of part `{clipped(chain.name)}` has no `kind`", expected)
        return wrong, stand_in
    kind = find_kind(source, TIMBRES, name)
    if isinstance(kind, Problem):
        return kind, stand_in
    noun = f"timbre `{kind.name}`"
    others = [key for key in node.plain() if key not in TimbreFile.model_fields]
    shared = validate(TimbreFile, node, source, noun, name.span, without=others)
    settings = validate(kind.settings, node, source, noun, name.span, _OWN, _OWN)
    if isinstance(shared, Problem):
        return shared, stand_in
    if isinstance(settings, Problem):
        return settings, stand_in
    if chain.role is Role.DRUMS:
        hint = "make an instrument of drums: `perpetuum instrument from-wav --drum snare=FILE`"
        message = f"{noun} plays pitches, no drums, and part `{clipped(chain.name)}` plays drums"
        return source.error(name.span, message, hint=hint), stand_in
    try:
        settings = kind.located(settings, reader.folder)
        doubts = kind.examine(settings)
    except UnfitError as error:
        wrong = node.get(error.setting)
        return source.error(wrong.span if wrong else name.span, error.message, hint=error.hint or ""), stand_in
    except UnavailableError as error:
        place = node.get(error.setting)
        span = place.span if place is not None else name.span
        until = f"; until then `{clipped(shared.stand_in)}` plays this part"
        hint = error.hint.rstrip(".") + until if error.hint else ""
        source.note(Problem(Severity.UNAVAILABLE, span, error.message, hint=hint))
    except PerpetuumError as error:
        return source.error(name.span, error.message, hint=error.hint or ""), stand_in
    except Exception as error:  # a plug-in may raise anything
        message = f"{noun} cannot be examined: {clipped(repr(error))}"
        return source.error(name.span, message, hint=PLUG_IN_HINT), stand_in
    else:
        for doubt in doubts:
            source.warning(name.span, f"{doubt}; `{clipped(shared.stand_in)}` plays this part then")
    return Timbre(kind.name, settings), stand_in

# pyright: strict
"""The instruments of a scene's parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from engine import assets
from engine.errors import PerpetuumError
from engine.generators.contract import Role
from engine.scenes.instruments.files import Instruments
from engine.scenes.reading.drafts import ChainDraft, InstrumentDraft, PartDraft, SceneReader
from engine.scenes.text.diagnostics import listed, nearest
from engine.scenes.text.nodes import MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity
from engine.scenes.text.source import clipped
from engine.score.time import SAMPLE_RATE

MOST_SECONDS_TOGETHER = 900
"""Length of the samples of all parts of a scene, at 48 kHz, stereo."""


def read_instruments(
    reader: SceneReader, chains: Iterable[ChainDraft], instruments: Instruments
) -> dict[str, InstrumentDraft | Problem]:
    """The instruments of all parts, by the names of the parts; their files are looked into.

    Args:
        reader: the scene.
        chains: its parts.
        instruments: what has been looked into so far.
    """
    told: dict[Path, Problem] = {}
    return {chain.name: _read_instrument(reader, chain, instruments, told) for chain in chains}


def _read_instrument(
    reader: SceneReader, chain: ChainDraft, instruments: Instruments, told: dict[Path, Problem]
) -> InstrumentDraft | Problem:
    node = chain.written.node.get("instrument")
    if isinstance(node, MapNode):
        from engine.scenes.reading.timbres import read_timbre

        timbre, stand_in = read_timbre(reader, chain, node)
        found = _read_named(reader, chain, stand_in, instruments, told)
        if isinstance(timbre, Problem) or isinstance(found, Problem):
            return timbre if isinstance(timbre, Problem) else found
        return replace(found, timbre=timbre)
    return _read_named(reader, chain, node, instruments, told)


def _read_named(
    reader: SceneReader, chain: ChainDraft, node: Node | None, instruments: Instruments, told: dict[Path, Problem]
) -> InstrumentDraft | Problem:
    source, written = reader.source, chain.written
    if not isinstance(node, ScalarNode) or not isinstance(node.value, str) or not node.text:
        # The part's model has noted that.
        return chain.file if isinstance(chain.file, Problem) else source.error(written.span, "there is no instrument")
    path = assets.find("instruments", node.text, beside=reader.folder) if "\0" not in node.text else None
    if path is None:
        known = list(assets.names("instruments"))
        return source.error(
            node.span,
            f"no instrument `{clipped(node.text)}`",
            listed(known, 24) or "the name or path of an instrument file",
            nearest(node.text, known),
            "`perpetuum instruments` tells what there is",
        )
    if not ("/" in node.text or node.text.endswith(".yaml")) and assets.hidden_by("instruments", path) is not None:
        message = f"`{clipped(node.text)}` is not the shipped instrument here: {path} hides it"
        source.warning(node.span, message, "give a file of yours a name of its own to have both")
    file = path.resolve()
    try:
        wrong = [one for one in instruments.look_into(path) if one.severity is Severity.ERROR]
    except PerpetuumError as error:
        if file not in told:
            told[file] = source.error(node.span, error.message, hint=error.hint or "")
        return InstrumentDraft(file, told[file])
    if wrong and file not in told:
        told[file] = source.error(
            node.span,
            f"the instrument `{clipped(node.text)}` is not valid",
            hint=f"see {path}:{wrong[0].line}:{wrong[0].column}",
        )
    if wrong:
        return InstrumentDraft(file, told[file])
    kind = instruments.kinds[path]
    if kind is not None and chain.role is not None and kind.drums != (chain.role is Role.DRUMS):
        plays = "drums alone" if kind.drums else "pitches, no drums"
        source.warning(
            node.span,
            f"`{clipped(node.text)}` plays {plays}, part `{chain.name}` plays {chain.role}",
            "choose another instrument",
        )
    return InstrumentDraft(file, instruments.revisions[path])


def check_memory(reader: SceneReader, parts: Iterable[PartDraft], instruments: Instruments) -> None:
    """Note a scene whose samples would not fit into the memory of a small machine; each part has its own copy."""
    frames = {path.resolve(): frames for path, frames in instruments.frames.items()}
    total = 0
    for part in parts:
        total += 0 if isinstance(part.instrument, Problem) else frames.get(part.instrument.path, 0)
        if total > MOST_SECONDS_TOGETHER * SAMPLE_RATE:
            reader.source.error(
                part.chain.written.span,
                f"with part `{part.chain.name}` the samples of all parts last {total / SAMPLE_RATE:.0f} s together",
                f"{MOST_SECONDS_TOGETHER} s at most, since they lie in memory, once for each part",
            )
            return

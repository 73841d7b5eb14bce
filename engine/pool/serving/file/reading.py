# pyright: strict
"""The file of a pool: checked like a scene, with places, what is expected and what is meant."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from engine.generators.contract import GENERATORS, Settings
from engine.installation.choices.secret import Secret
from engine.installation.reading.listening import hide_secrets, read_addresses, read_secret, warn_of_an_absent
from engine.installation.state_place import default_state
from engine.pool.serving.file.config import DEPLOYMENTS, GB, HEAVY, Compute, Deployment, PoolConfig
from engine.scenes.loading import read_tree
from engine.scenes.schema.validation import validate
from engine.scenes.text.diagnostics import Diagnostic, listed, nearest
from engine.scenes.text.nodes import ListNode, MapNode, Node, ScalarNode
from engine.scenes.text.problems import Problem, Severity, Span
from engine.scenes.text.source import SourceFile
from engine.units import Unit, parse, unit_schema

MEMORY = Unit(
    "an amount of memory",
    {"GB": 1e9, "MB": 1e6},
    "`2 GB` or `500 MB`",
    whole=True,
    low=1e6,
    high=1e15,
    foreign={"gb": "GB", "mb": "MB", "g": "GB", "m": "MB", "gib": "GB", "mib": "MB"},
)


def _memory(value: object) -> float:
    return parse(value, MEMORY)


Memory = Annotated[int, BeforeValidator(_memory), unit_schema(MEMORY), MEMORY]


OTHERS = "others"
"""Name of the deployment that is there where every one of the file has kinds of its own."""


class DeploymentFile(Settings):
    """Replicas that make some kinds of phrases."""

    kinds: Any = Field(default=(), description="Kinds of generators, one or a list; without, all that no other makes.")
    replicas: int = Field(default=2, ge=1, le=64, description="Processes; with two, one that dies costs no phrase.")
    models: Memory = Field(default=GB, description="Memory that networks may take in each; the last used stay.")
    memory: Memory = Field(default=3 * GB, description="Memory that each may take in all; above, it is replaced.")
    gpus: float = Field(
        default=0.0,
        ge=0,
        le=16,
        description="Share of GPUs that Ray gives to each; without, each uses the first that there is.",
    )
    batch: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Phrases of MusicVAE that share calls of the network in each; with more than one a note may rarely "
        "be another than the player would make.",
    )
    heavy: bool = Field(
        default=False, description="Makes only what has heavy weights, so that nothing else waits for that."
    )
    compute: Compute = Field(
        default=Compute.AUTO,
        description="What plays heavy networks of MusicVAE: `tensorflow`, `numpy`, or `auto`, which is TensorFlow "
        "where there is a GPU; where TensorFlow fails, numpy plays.",
    )


class PoolServerFile(Settings):
    """A pool: machines that make phrases for players."""

    perpetuum: Literal[1] = Field(description="Version of this language: 1.", examples=[1])
    listen: Any = Field(
        default=None,
        description="Addresses where players ask, one or a list.",
        json_schema_extra={"default": "127.0.0.1:8480"},
    )
    tokens: dict[str, Any] = Field(
        default={},
        description="Tokens of players by name, each `{env: NAME}` or `{file: PATH}`; must be there where an address "
        "is not of this machine alone.",
        max_length=1000,
    )
    deployments: dict[str, Any] = Field(
        default={},
        description="Replicas by name; without, two that make everything, and two for heavy weights.",
        max_length=32,
    )
    heavy: Memory = Field(default=HEAVY, description="Weights files above this are heavy.")
    weights: str = Field(default="", description="Folder of weights that players hand over.")
    limit: Memory = Field(default=10 * GB, description="How much that folder may hold.")
    checkpoints: tuple[str, ...] = Field(
        default=(),
        description="Folders of checkpoints of GANSynth, for the timbres that players ask for; TensorFlow makes them.",
        max_length=32,
    )
    cluster: str = Field(default="", description="Address of a Ray cluster to join; without, Ray is started here.")


def read_pool_file(path: Path) -> tuple[PoolConfig | None, list[Diagnostic]]:
    """Read the file of a pool.

    Returns:
        (pool, diagnostics): the pool is None if any of them is an error.

    Raises:
        PerpetuumError: there is no such file, or it may not be read.
    """
    source, node = read_tree(path, pipes=True)
    config = None
    if isinstance(node, MapNode):
        config = _read(source, node)
    elif node is not None:
        source.error(node.span, "the file of a pool must be a mapping", "keys and values; the first is `perpetuum: 1`")
    found = sorted(source.found, key=lambda one: (one.line, one.column, one.message))
    if any(one.severity is Severity.ERROR for one in found):
        config = None
    return config, found


def default_pool() -> PoolConfig:
    """A pool without a file: for this machine alone."""
    return PoolConfig(default_state("pool") / "weights")


def _read(source: SourceFile, node: MapNode) -> PoolConfig | None:
    known = {*PoolServerFile.model_fields, *DeploymentFile.model_fields}
    hide_secrets(source, node, known - {"tokens"})
    start = Span(node.span.start, node.span.start + 1)
    head = validate(PoolServerFile, node, source, "the pool", start)
    listen = read_addresses(source, node, "listen", default_pool().listen)
    tokens = _read_tokens(source, node)
    deployments = _read_deployments(source, node)
    if isinstance(head, Problem) or isinstance(listen, Problem) or not source.sound:
        return None
    if not listen:
        source.error(node.key("listen").span, "nobody can ask a pool that listens nowhere", "an address")
    open_one = next((one for one in listen if not one.loopback), None)
    if open_one is not None and not tokens:
        source.error(
            node.key("listen").span,
            f"{open_one} can be reached from other machines, and there are no `tokens`",
            "a token for each player, like `tokens: {foyer: {env: FOYER_TOKEN}}`",
            hint="or listen on 127.0.0.1 alone",
        )
    weights = source.folder.absolute() / head.weights if head.weights else default_pool().weights
    checkpoints = tuple(source.folder.absolute() / one for one in head.checkpoints)
    return PoolConfig(weights, head.limit, listen, tokens, deployments, checkpoints, head.cluster, head.heavy)


def _read_tokens(source: SourceFile, node: MapNode) -> dict[str, Secret]:
    mapping = node.get("tokens")
    found: dict[str, Secret] = {}
    if isinstance(mapping, MapNode):
        for name, (key, value) in mapping.entries.items():
            secret = read_secret(source, key, value)
            if not isinstance(secret, Problem):
                warn_of_an_absent(source, key.span, secret, f"{name} cannot ask")
                found[name] = secret
    return found


def _read_deployments(source: SourceFile, node: MapNode) -> tuple[Deployment, ...]:
    mapping = node.get("deployments")
    if not isinstance(mapping, MapNode) or not mapping.entries:
        return DEPLOYMENTS
    found: list[Deployment] = []
    made: dict[tuple[str, bool], str] = {}
    for name, (key, value) in mapping.entries.items():
        head = validate(DeploymentFile, value, source, f"deployment `{name}`", key.span)
        if isinstance(head, Problem) or not isinstance(value, MapNode):
            continue
        kinds = _read_kinds(source, value, name, head.heavy, made)
        others = [one.name for one in found if not one.kinds and one.heavy == head.heavy]
        if not kinds and "kinds" not in value.entries and others:
            what = "all heavy that" if head.heavy else "all that"
            source.error(key.span, f"`{others[0]}` makes {what} no other makes already", "`kinds`")
        if head.gpus > 1 and not head.gpus.is_integer():
            source.error(value.key("gpus").span, "more than one GPU is shared out whole", "a part of one, or 1, 2, ...")
        if head.compute is Compute.TENSORFLOW and find_spec("tensorflow") is None:
            source.warning(
                value.key("compute").span,
                "TensorFlow is not installed here: numpy plays",
                hint="pip install 'tensorflow-cpu>=2.20,<2.22' (on ARM and with a GPU: tensorflow)",
            )
        own = Deployment(name, kinds, head.replicas, head.models, head.memory, head.gpus, head.batch)
        found.append(replace(own, heavy=head.heavy, compute=head.compute))
    if all(one.kinds or one.heavy for one in found):
        if OTHERS in mapping.entries:
            source.error(
                mapping.key(OTHERS).span,
                f"`{OTHERS}` is the name of the deployment that makes what no other makes",
                "another name",
                hint="or leave its `kinds` out",
            )
        found.append(Deployment(name=OTHERS))
    return tuple(found)


def _read_kinds(
    source: SourceFile, node: MapNode, name: str, heavy: bool, made: dict[tuple[str, bool], str]
) -> tuple[str, ...]:
    if "kinds" not in node.entries:
        return ()
    key, value = node.entries["kinds"]
    items: list[Node] = list(value.items) if isinstance(value, ListNode) else [value]
    if not items:
        source.error(
            key.span, "`kinds` is empty", "kinds of generators", hint="without the key, all that no other makes"
        )
    networks = [kind for kind, described in GENERATORS.kinds().items() if described.network]
    found: list[str] = []
    for item in items:
        kind = item.text.strip() if isinstance(item, ScalarNode) else ""
        span = item.span if item.span.end > item.span.start else key.span
        if kind not in networks:
            source.error(
                span, f"`{kind[:60]}` is no kind with a network", listed(networks, 24), nearest(kind, networks)
            )
        elif (kind, heavy) in made:
            source.error(span, f"`{made[kind, heavy]}` makes {kind} already", hint="name it once")
        else:
            made[kind, heavy] = name
            found.append(kind)
    return tuple(found)

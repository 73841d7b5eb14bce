# pyright: strict
"""The pool's answer as bytes, and back: what comes back is taken for hostile."""

from __future__ import annotations

import msgspec

from engine import __version__
from engine.pool.wire import messages as wire
from engine.pool.wire.requests import WireError, WireVersionError
from engine.pool.wire.scores import read_phrase, written_phrase
from engine.score.phrase import Phrase

_ANSWER = msgspec.json.Decoder(wire.PhraseAnswer)
_REFUSAL = msgspec.json.Decoder(wire.Refusal)


def write_answer(key: str, raw: Phrase, phrase: Phrase, seconds: float) -> bytes:
    """A phrase, before and after the transforms, as the body of an answer."""
    made, after = written_phrase(raw), written_phrase(phrase)
    same = None if after == made else after
    return msgspec.json.encode(wire.PhraseAnswer(wire.VERSION, key, __version__, made, same, seconds))


def read_answer(body: bytes, key: str) -> tuple[Phrase, Phrase, float]:
    """(raw, phrase, seconds) of an answer. Whether they fit the request is for the ladder to say.

    Args:
        body: as it came.
        key: of the request.

    Raises:
        WireVersionError: it is of another version.
        WireError: it is no answer to this request.
    """
    if len(body) > wire.LARGEST_ANSWER:
        raise WireError(f"its answer has more than {wire.LARGEST_ANSWER} bytes")
    try:
        answer = _ANSWER.decode(body)
        raw = read_phrase(answer.raw)
        phrase = read_phrase(answer.phrase) if answer.phrase is not None else raw
    except (msgspec.DecodeError, ValueError, RecursionError, ArithmeticError) as error:
        if b'"version":' in body[:20] and not body.startswith(b'{"version":1,'):
            raise WireVersionError(f"its answer is of another version: {str(error)[:200]}") from error
        raise WireError(f"its answer is none: {str(error)[:200]}") from error
    if answer.key != key:
        raise WireError("it answered another question")
    return raw, phrase, answer.seconds


def read_refusal(body: bytes) -> wire.Refusal:
    """Why there is no answer; whatever the body is."""
    try:
        return _REFUSAL.decode(body[: wire.LARGEST_ANSWER])
    except (msgspec.DecodeError, ValueError, RecursionError):
        return wire.Refusal("it gave no reason")

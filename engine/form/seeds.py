# pyright: strict
"""Seeds by hashing: every choice is drawn from what it is for, never from what was drawn before."""

from __future__ import annotations

import hashlib


def derive_seed(*words: object) -> int:
    """A seed of 63 bits out of anything printable; the same in every process and on every machine."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

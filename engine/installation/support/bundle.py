# pyright: strict
"""The file of a support bundle: parts of bounded size, masked, and a page that says what is missing and why."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Iterable

from engine.installation.support.masking import MASK, Masker

LARGEST_PART = 1 << 20
"""Bytes of a part; of a longer one the end is kept, which is the newest of a log."""

LARGEST = 12 << 20
"""Bytes of all parts before they are packed."""

Part = tuple[str, Callable[[], str]]
"""Its name, and what gives its text."""


def packed(parts: Iterable[Part], masker: Masker, largest_part: int = LARGEST_PART, largest: int = LARGEST) -> bytes:
    """A zip of all parts that can be had. Whatever fails costs its own part alone.

    Args:
        parts: in order.
        masker: takes secrets out of texts and names.
        largest_part: bytes of a part.
        largest: bytes of all.
    """
    packing = io.BytesIO()
    told: list[str] = []
    left = largest
    with zipfile.ZipFile(packing, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text_of in parts:
            name = masker(name)
            try:
                text = text_of()
            except Exception as error:  # of whatever is broken, which is why somebody makes a bundle
                told.append(f"missing  {name}: {masker(str(error) or repr(error))}")
                continue
            # Masked before it is cut: half a secret would not be known.
            data = masker(text).encode("utf-8", "replace")
            most = min(largest_part, left)
            cut = len(data) > most
            data = data[len(data) - most :] if cut else data
            left -= len(data)
            told.append(f"{len(data):8d}  {name}" + (" (its end; the rest is left out)" if cut else ""))
            archive.writestr(name, data)
        made = time.strftime("%Y-%m-%d %H:%M:%S %z")
        head = f"Support bundle of Perpetuum, made {made}. Secrets are masked as {MASK}."
        archive.writestr("CONTENTS.txt", "\n".join([head, *masker.left, "", *told, ""]))
    return packing.getvalue()

# pyright: strict
"""`experiment.json`: what a GANSynth was trained as, as far as its weights do not say so themselves.

The original lets a missing key take a default that no released network was trained with, and then cannot load it. So
sizes are read from the weights (`checkpoint.py`), and the file is asked only for what they cannot say.

Source: `model.py`, `data_normalizer.py` and `networks.py` of Magenta's GANSynth.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import PerpetuumError
from engine.files import read_bytes, reason

FILE = "experiment.json"
_LARGEST = 2**20
_Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
_Finite = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
_Images = Annotated[int, Field(ge=1, le=10**12)]
_Size = Annotated[int, Field(ge=1, le=2**14)]


class Configuration(BaseModel):
    """The keys of `experiment.json` that matter for playing, by the original's names; the others are left unread.

    Sizes that the weights say too are None where the file does not say them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    data_type: Literal["mel", "linear"] = "mel"
    data_normalizer: Literal["specgrams_prespecified_normalizer"] = "specgrams_prespecified_normalizer"
    mag_normalizer_a: _Positive = 0.0661371661726
    mag_normalizer_b: _Finite = 0.113718730221
    p_normalizer_a: _Positive = 0.8
    p_normalizer_b: _Finite = 0.0
    audio_length: Annotated[int, Field(ge=1, le=2**22)] = 64000
    sample_rate: Annotated[int, Field(ge=1000, le=192_000)] = 16000
    g_fn: Literal["specgram"] = "specgram"
    simple_arch: Literal[False] = False
    to_rgb_activation: Literal["tanh"] = "tanh"
    scale_mode: Literal["ALL"] = "ALL"
    scale_base: Literal[2] = 2
    num_resolutions: Annotated[int, Field(ge=1, le=12)] = 7
    train_progressive: bool = True
    train_time_limit: None = None
    stable_stage_num_images: _Images = 32
    transition_stage_num_images: _Images = 32
    latent_vector_size: _Size | None = None
    start_height: _Size | None = None
    start_width: _Size | None = None
    kernel_size: Literal[3] = 3

    def progress(self, step: int, blocks: int) -> float:
        """How far training has grown the network, 0 .. blocks - 1: the place between two levels that is heard.

        Args:
            step: images that were trained on (`global_step`).
            blocks: levels that the stage has.
        """
        if not self.train_progressive:
            return blocks - 1.0
        both = self.stable_stage_num_images + self.transition_stage_num_images
        last = blocks * self.stable_stage_num_images + (blocks - 1) * self.transition_stage_num_images - 1
        whole, rest = divmod(min(max(step, 0), last), both)
        return whole + max(0.0, (rest - self.stable_stage_num_images) / self.transition_stage_num_images)


def read_configuration(path: Path) -> Configuration:
    """Read an `experiment.json`.

    Raises:
        PerpetuumError: it cannot be read, or asks for what we do not play.
    """
    try:
        data = json.loads(read_bytes(path, _LARGEST), parse_constant=_no_constant)
    except OSError as error:
        raise PerpetuumError(f"{path}: cannot be read ({reason(error)})") from error
    except (ValueError, RecursionError) as error:
        raise PerpetuumError(f"{path}: not a readable JSON file: {error}", _AS_PUBLISHED) from error
    if not isinstance(data, dict):
        raise PerpetuumError(f"{path}: holds no settings (no JSON object)", _AS_PUBLISHED)
    try:
        return Configuration.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        given = repr(first["input"])[:40]
        raise PerpetuumError(f"{path}: {key} is {given}, which is not played here: {first['msg']}", _PLAYED) from error


_AS_PUBLISHED = "Copy it again from where the checkpoint comes from."
_PLAYED = "Perpetuum plays GANSynths of mel or linear spectra with instantaneous frequency, as Magenta published them."


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")

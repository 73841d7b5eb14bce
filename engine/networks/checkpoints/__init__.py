"""Magenta's checkpoints, read without TensorFlow: bundles, V1 and V2 checkpoints, tar files.

    card, weights = open_weights("attention_rnn.mag")        # also .safetensors, .tar, .index, a prefix, a folder
    card = read_card("cat-mel_2bar_big.tar")                 # what it is; reads no weights

Files are taken for hostile: every size in them is held against the size of the file before memory is taken, every
checksum is checked, nothing is unpacked to a disk, and no graph or pickle is run. What is wrong with a file comes out
as a `PerpetuumError`, or, in the readers below `files`, as a `MalformedError`.
"""

from engine.networks.checkpoints.files import Checkpoint, open_checkpoint
from engine.networks.checkpoints.recognition import Recognition, recognise
from engine.networks.checkpoints.weights import make_card, open_weights, read_card, read_numbers

__all__ = [
    "Checkpoint",
    "Recognition",
    "make_card",
    "open_checkpoint",
    "open_weights",
    "read_card",
    "read_numbers",
    "recognise",
]

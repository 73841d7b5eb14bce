"""Data sets: files of music in, pieces to train on out."""

from engine.training.datasets.augmentation import Augmentation
from engine.training.datasets.build import DatasetSettings, build
from engine.training.datasets.dataset import Dataset, open_dataset, write_dataset
from engine.training.datasets.filters import Filters
from engine.training.datasets.music.kinds import augmentation_of, corpus_of, trainable
from engine.training.datasets.pieces import SPLITS, DatasetPiece, load_pieces, save_pieces

__all__ = [
    "SPLITS",
    "Augmentation",
    "Dataset",
    "DatasetPiece",
    "DatasetSettings",
    "Filters",
    "augmentation_of",
    "build",
    "corpus_of",
    "load_pieces",
    "open_dataset",
    "save_pieces",
    "trainable",
    "write_dataset",
]

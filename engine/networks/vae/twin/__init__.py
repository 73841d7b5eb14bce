"""MusicVAE by TensorFlow, for a GPU: the same parts as in numpy, told the same chance. Imports no TensorFlow itself."""

"""GANSynth: notes of four seconds, each made at once, from a pitch and a point of a latent space of instruments.

    network = GanSynth.load(Path("acoustic_only"))
    waves = network.notes(latents, pitches)        # [n, 64000] at 16 kHz

`checkpoint.py` reads Magenta's checkpoints, `generator.py` (TensorFlow) makes spectra, `spectra/` turns them into
sound, `instruments.py` slides from one instrument to the next, `clip.py` puts notes together, and `kind.py` is what
scenes name.

Source: Engel et al., "GANSynth: Adversarial Neural Audio Synthesis", ICLR 2019.
"""

"""Spectra as GANSynth makes them, to waves and back: Fourier transform, mel scale, instantaneous frequency."""

"""NSynth: a WaveNet that hears a note as 16 numbers for every 512 samples, and plays such numbers as sound again.

    model = open_model(Path("wavenet-ckpt"))
    encoding = model.encoder().encode(wave)                  # [frames, 16] of a wave at 16 kHz
    between = mix([encoding, other], [0.5, 0.5])
    synthesis = Synthesis(model.decoder(), [between], [np.random.default_rng(1)])
    synthesis.run()
    wave = synthesis.wave(0)

`checkpoint.py` reads Magenta's checkpoints, `encoder.py` and `decoder.py` are the two halves of the network, in numpy,
`synthesis.py` plays many encodings at once, `encodings.py` keeps them in files and mixes, stretches and joins them.

Source: Engel et al., "Neural Audio Synthesis of Musical Notes with WaveNet Autoencoders", ICML 2017; generation with
queues: Paine et al., "Fast WaveNet Generation Algorithm", 2016.
"""

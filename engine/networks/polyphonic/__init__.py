"""RNNs for several voices: Polyphony RNN, Performance RNN and Pianoroll RNN-NADE."""

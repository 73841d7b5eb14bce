"""How the timbre network is trained: notes of a sound font, taken apart, into a variational autoencoder."""

"""A timbre network of our own: envelopes of partials and noise out of a place in a latent space, and sound of them."""

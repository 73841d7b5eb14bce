"""MusicVAE and GrooVAE: short music to a latent vector and back."""

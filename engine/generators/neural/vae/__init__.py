"""MusicVAE and GrooVAE: phrases on ways through a latent space, and drums played with feel."""

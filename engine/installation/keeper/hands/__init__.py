"""What hands want, and the ways on which they say so."""

"""What leaves for the output, measured: ITU-R BS.1770 and what else tells sound from a fault."""

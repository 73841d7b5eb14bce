"""From the parts to two channels: levels, sends, ducking, the master."""

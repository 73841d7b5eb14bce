"""What plays when: opening hours, turns of scenes, the clock on the wall, what a day will bring."""

"""Banks of notes for parts that a network gives its sound: made in a process of their own while the music plays."""

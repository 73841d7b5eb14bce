"""What a scene names: generators (musical context in, phrase out) and transforms (phrase in, phrase out)."""

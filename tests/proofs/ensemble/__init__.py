"""One network over parts: does hearing drums, harmony and chords make a bass and a melody less surprising?"""

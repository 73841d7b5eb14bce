"""What musicians do with networks: a piece goes in, a piece comes out.

    made = continue_piece(network, piece, beats=16.0, rng=np.random.default_rng(7))
    made.piece            # the old music, the new bars behind it
    made.remarks          # what was decided on the way: "3 chords were reduced to their top notes"

The verbs of the command line stand on these; they are the operations of Magenta Studio (Roberts et al., "Magenta
Studio: Augmenting Creativity with Deep Learning in Ableton Live", 2019).
"""

"""How fast the networks play, beside the original Magenta and beside what the machine allows.

    python -m benchmarks --quick                          # ours alone, a few seconds
    python -m benchmarks --original ~/magenta/bin/python  # both in alternation, some minutes

`subjects` says what is measured, `measure` how, `roofline` what the machine could do; `ours` and `original` are the two
processes, which answer lines of JSON (`processes`).
"""

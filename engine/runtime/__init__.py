"""Processes: who runs beside the conductor, how they talk, and what happens when one of them dies.

```
 conductor's process (light: neither networks nor pyo)
   Workers ---- socket ----> engine.runtime.workers.worker   one or more; networks; may die, hang or leak
   Audio ------ socket ----> engine.sound.process    pyo; may die or hang; a spare one waits to take over
   Pipe  <---- 256-frame blocks ----'                holds 2.7 s: what a new audio process has time for
   Pump -> Gain -> Tee -> Chain                      threads; a player process or our own clock; recordings follow
```

The pipe is the clock: an output takes sound at the pace of real time, a full pipe stops the audio process, and its
count of frames is the time that the conductor lives by. Every child has its own session, so that Ctrl-C reaches the
parent alone, and ends by itself when the parent is gone: its socket closes.

A performance is a list that is stopped in reverse:

```python
with contextlib.ExitStack() as stack:
    stop = stack.enter_context(StopSignals())
    audio = stack.enter_context(Audio())  # imports pyo while the scene is read
    workers = stack.enter_context(Workers())
    performance = Performance(scene, Course(seed), audio, workers)
    performance.prepare()  # builds the graph, and waits
    output = stack.enter_context(open_outputs([OutputChoice("auto")]))
    stack.callback(performance.stop)
    performance.start(output)
    while not stop.asked and not performance.wait(0.1):
        pass
    performance.stop(1.5)
```

What fails, and what then: a worker dies, hangs, leaks or breaks the protocol: its jobs come back as failed (rules
play), another is started. The audio process dies, hangs or leaks: another plays the last two seconds again, unheard,
and goes on at the same frame. Several die at the same place: the notes there are left out. A player dies or its card is
pulled out: the music goes on in real time, a player is looked for again and again. The disk is full: the recording
misses what comes meanwhile, the music does not. The machine was suspended: the pace begins anew. We die: every child
sees its socket close and ends.
"""

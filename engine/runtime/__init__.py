"""Processes: who runs beside the conductor, how they talk, and what happens when one of them dies.

```
 conductor's process (light: neither TensorFlow nor pyo)
   Workers ---- socket ----> engine.runtime.worker   one or more; TensorFlow; may die, hang or babble
   Audio ------ socket ----> engine.sound.process    pyo; may die or hang
   Pipe  <---- 256-frame blocks ----'                holds 1.4 s: what a new audio process has time for
   Pump  -----> Output                               a thread; a player process, our own clock, or a file
```

The pipe is the clock: an output takes sound at the pace of real time, a full pipe stops the audio process, and its
count of frames is the time that the conductor lives by. Every child has its own session, so that Ctrl-C reaches the
parent alone, and ends by itself when the parent is gone: its socket closes.

A performance is a list that is stopped in reverse:

```python
with contextlib.ExitStack() as stack:
    stop = stack.enter_context(StopSignals())
    output = stack.enter_context(open_output("auto"))
    audio = stack.enter_context(Audio.live())
    workers = stack.enter_context(Workers(load=[("melody_rnn", settings)]))
    pump = stack.enter_context(Pump(audio, output))
    audio.send(Setup(...))
    conductor.run(keep_on=lambda: not stop.asked)
    pump.fade_out(1.0)
```
"""

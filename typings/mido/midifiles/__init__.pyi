from mido.midifiles import meta as meta

#!/bin/sh
# How three instruments were made of samples of Sonic Pi (CC0). Run it in this folder:
#   sh make_from_recordings.sh FOLDER_OF_THE_SAMPLES
set -eu
from="$1"
thanks="a sample of Sonic Pi"

perpetuum instrument from-wav "$from/perc_bell.flac" -o hand_bell --force \
  --sides fold --transpose "-24 semitones" --root "A7 +49" --longest "7 s" --release "2.5 s" \
  --title "Hand bell, low and long" \
  --credit "Made of perc_bell, $thanks: AlaskaRobotics, freesound.org" --licence "CC0 1.0"

perpetuum instrument from-wav "$from/ambi_glass_rub.flac" -o rubbed_glass --force \
  --attack "120 ms" --release "900 ms" \
  --title "Rubbed glass, a clear steady tone" \
  --credit "Made of ambi_glass_rub, $thanks: ani_music, freesound.org" --licence "CC0 1.0"

perpetuum instrument from-wav "$from/bass_voxy_c.flac" -o low_voice --force \
  --sides fold --attack "60 ms" --release "350 ms" \
  --title "Low voice, its vowel in motion" \
  --credit "Made of bass_voxy_c, $thanks: ani_music, freesound.org" --licence "CC0 1.0"
# What has no option is written by hand. Bells hang side by side; the voice is made of pulses, whose treble clicks.
printf 'width: 40 %%\n' >> hand_bell/instrument.yaml
printf 'effects: {low_pass: 3.5 kHz}\n' >> low_voice/instrument.yaml

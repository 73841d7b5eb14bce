#!/bin/bash
# From a fresh Raspberry Pi OS Lite (64 bit, Debian 12 or 13) to sound: packages, pyo in double precision, user, service,
# watchdog, clock, sound card, volatile logs, read-only root. Run again, it changes only what differs.
#
#   sudo ./install.sh settings.conf             do it
#   sudo ./install.sh --dry-run settings.conf   say what would be done, and do nothing
#   ./install.sh --files FOLDER settings.conf   only write the files of the system, below a folder: to look at them
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dry_run=no
files=
root=

# Settings, and what counts without them.
name=gallery
installation=
package=perpetuum
wheels=
time_zone=
sound_overlay=
card_path=
onboard_audio=off
shutdown_pin=
watchdog=yes
read_only=no
state_label=perpetuum
reboot=

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 2
}

fail() {
    echo "install.sh: $1" >&2
    exit 1
}

say() { echo "$*"; }

# run COMMAND...: do it, or say that it would be done.
run() {
    if [ -n "$files" ]; then return; fi
    say "+ $*"
    if [ "$dry_run" = no ]; then "$@"; fi
}

# put FILE MODE: the file is what comes in, whole or as it was.
put() {
    local path=$root$1 mode=$2 text
    text=$(cat)
    if [ -f "$path" ] && [ "$text" = "$(cat "$path")" ]; then return; fi
    say "+ write $1"
    if [ "$dry_run" = yes ]; then return; fi
    mkdir -p "$(dirname "$path")"
    printf '%s\n' "$text" >"$path.new"
    chmod "$mode" "$path.new"
    mv "$path.new" "$path"
}

# block FILE: what comes in stands in the file once, between two marks; all else in it stays.
block() {
    local path=$root$1 text rest=
    text=$(cat)
    if [ -f "$path" ]; then rest=$(sed '/^# perpetuum: begin$/,/^# perpetuum: end$/d' "$path"); fi
    printf '%s\n# perpetuum: begin\n%s\n# perpetuum: end\n' "$rest" "$text" | put "$1" 644
}

# have FILE: a file that another one is copied from is there.
have() { [ -f "$1" ] || fail "there is no file $1"; }

read_settings() {
    local number=0 key value line
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        line=${line%%#*}
        if [ -z "${line//[[:space:]]/}" ]; then continue; fi
        key=$(printf '%s' "${line%%=*}" | tr -d '[:space:]')
        value=$(printf '%s' "${line#*=}" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
        [[ $line == *=* ]] || fail "$1:$number: a setting is \`key = value\`"
        case $key in
            name | installation | package | wheels | time_zone | sound_overlay | card_path | onboard_audio | \
                shutdown_pin | watchdog | read_only | state_label | reboot) printf -v "$key" '%s' "$value" ;;
            *) fail "$1:$number: there is no setting \`$key\`" ;;
        esac
    done <"$1"
    [[ $name =~ ^[a-z][a-z0-9_]{0,31}$ ]] || fail "\`name\` is small letters, digits and _: $name"
    [[ $state_label =~ ^[A-Za-z0-9_-]{1,16}$ ]] || fail "\`state_label\` is the label of a partition: $state_label"
    [[ $sound_overlay =~ ^[a-z0-9,=_-]*$ ]] || fail "\`sound_overlay\` is a name of an overlay: $sound_overlay"
    [[ $card_path =~ ^[A-Za-z0-9:._-]*$ ]] || fail "\`card_path\` is an ID_PATH of udev: $card_path"
    [[ $shutdown_pin =~ ^([0-9]|1[0-9]|2[0-7])?$ ]] || fail "\`shutdown_pin\` is 0 to 27: $shutdown_pin"
    [[ $reboot =~ ^[A-Za-z0-9:*,.\ -]*$ ]] || fail "\`reboot\` is a time as systemd writes it: $reboot"
    [[ $time_zone =~ ^[A-Za-z0-9_+/-]*$ ]] || fail "\`time_zone\` is a name like Europe/Berlin: $time_zone"
    for key in onboard_audio watchdog read_only; do
        [[ ${!key} =~ ^(yes|no|on|off)$ ]] || fail "\`$key\` is yes or no: ${!key}"
    done
    if [ -n "$installation" ]; then have "$installation"; fi
}

yes() { [ "$1" = yes ] || [ "$1" = on ]; }

look() {
    if [ -n "$files" ]; then return; fi
    local id version
    # shellcheck source=/dev/null
    id=$(. /etc/os-release && echo "$ID")
    # shellcheck source=/dev/null
    version=$(. /etc/os-release && echo "${VERSION_ID:-}")
    case "$id $version" in
        "debian 12" | "debian 13" | "raspbian 12" | "raspbian 13") ;;
        *) fail "this is $id $version; it has been made for Debian 12 and 13 (Raspberry Pi OS Lite)" ;;
    esac
    if [ "$(uname -m)" != aarch64 ]; then say "! this is no 64 bit Raspberry Pi but $(uname -m)"; fi
    if [ "$dry_run" = no ] && [ "$(id -u)" != 0 ]; then fail "run it as root: sudo $0"; fi
    if grep -qs ' / overlay ' /proc/mounts; then fail "the root is read-only: sudo overlayroot-chroot $0"; fi
}

packages() {
    local wanted=(python3 python3-venv python3-dev gcc g++ libasound2-dev portaudio19-dev
        libportmidi-dev liblo-dev libsndfile1-dev libsndfile1 alsa-utils chrony ca-certificates) missing=() one
    if yes "$read_only"; then wanted+=(overlayroot); fi
    for one in "${wanted[@]}"; do
        if ! dpkg-query -W -f '${Status}' "$one" 2>/dev/null | grep -q 'ok installed'; then missing+=("$one"); fi
    done
    if [ ${#missing[@]} = 0 ]; then return; fi
    run apt-get update -q
    # Raspberry Pi OS has both, and Debian not always: only buttons, light, relay and alarm contact need them.
    for one in python3-gpiozero python3-lgpio; do
        if apt-cache show "$one" >/dev/null 2>&1; then
            missing+=("$one")
        else
            say "! there is no package $one here: pins cannot be used"
        fi
    done
    run env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
}

user() {
    run groupadd -f -r gpio
    if ! id perpetuum >/dev/null 2>&1; then
        run useradd --system --home-dir /var/lib/perpetuum --shell /usr/sbin/nologin perpetuum
    fi
    run usermod -a -G audio,gpio perpetuum
    run install -d -m 755 /etc/perpetuum
}

# The sdist of pyo, built for double precision; the wheel is kept, so that a spare needs no compiler's minutes.
software() {
    local folder=/opt/perpetuum/wheels from=()
    if [ ! -x /opt/perpetuum/bin/python ]; then run python3 -m venv --system-site-packages /opt/perpetuum; fi
    run install -d -m 755 "$folder"
    if [ -n "$wheels" ]; then
        run cp -r "$wheels/." "$folder"
        from=(--no-index)
    fi
    if ! compgen -G "$folder/pyo-*.whl" >/dev/null; then
        run /opt/perpetuum/bin/pip wheel -q --no-deps --no-binary pyo -w "$folder" \
            --config-settings=--build-option=--use-double pyo
    fi
    run /opt/perpetuum/bin/pip install -q "${from[@]}" --find-links "$folder" "$package"
}

service() {
    have "$here/../systemd/perpetuum@.service"
    put /etc/systemd/system/perpetuum@.service 644 <"$here/../systemd/perpetuum@.service"
    if [ -n "$installation" ]; then put "/etc/perpetuum/$name.yaml" 640 <"$installation"; fi
    if [ -z "$files" ] && [ "$dry_run" = no ] && [ -f "/etc/perpetuum/$name.yaml" ]; then
        chgrp perpetuum "/etc/perpetuum/$name.yaml"
    fi
    put /etc/security/limits.d/perpetuum.conf 644 <<END
# The sound may come before all else, and is not paged out.
@audio - rtprio 80
@audio - memlock unlimited
END
    put /etc/systemd/system/perpetuum@.service.d/appliance.conf 644 <<END
[Service]
SupplementaryGroups=gpio
RestrictRealtime=no
LimitRTPRIO=80
LimitMEMLOCK=infinity
END
}

machine() {
    if yes "$watchdog"; then
        put /etc/systemd/system.conf.d/perpetuum.conf 644 <<END
# The board restarts when systemd gives no sign of life; systemd restarts the service when the music gives none.
[Manager]
RuntimeWatchdogSec=15s
RebootWatchdogSec=2min
END
    fi
    put /etc/systemd/journald.conf.d/perpetuum.conf 644 <<END
# Logs cost the card nothing, and never fill anything. What is to be kept, the installation file says (\`log\`).
[Journal]
Storage=volatile
RuntimeMaxUse=32M
END
    put /etc/chrony/conf.d/perpetuum.conf 644 <<END
# The clock is set in the first minutes, and after that only goes faster or slower. Music goes by another one anyway.
makestep 1 3
rtcsync
END
    if [ -n "$time_zone" ]; then
        run ln -sfn "/usr/share/zoneinfo/$time_zone" /etc/localtime
        put /etc/timezone 644 <<<"$time_zone"
    fi
    if [ -n "$card_path" ]; then
        put /etc/udev/rules.d/85-perpetuum.rules 644 <<END
# The card at this socket is hw:CARD=Perpetuum, whatever its number (udevadm info /sys/class/sound/card1 | grep ID_PATH=).
SUBSYSTEM=="sound", KERNEL=="card*", ENV{ID_PATH}=="$card_path", ATTR{id}="Perpetuum"
END
    fi
    if [ -n "$reboot" ]; then
        put /etc/systemd/system/perpetuum-reboot.service 644 <<END
[Unit]
Description=Planned restart of the whole machine

[Service]
Type=oneshot
ExecStart=systemctl reboot
END
        put /etc/systemd/system/perpetuum-reboot.timer 644 <<END
[Unit]
Description=Planned restart of the whole machine

[Timer]
OnCalendar=$reboot
Persistent=no

[Install]
WantedBy=timers.target
END
    fi
}

boot() {
    local config=/boot/firmware/config.txt
    if [ ! -f "$root$config" ] && [ -f "$root/boot/config.txt" ]; then config=/boot/config.txt; fi
    if [ ! -f "$root$config" ] && [ -z "$files" ]; then
        say "! there is no $config: this is no Raspberry Pi, and its firmware is left alone"
        return
    fi
    {
        echo "[all]"
        if ! yes "$onboard_audio"; then echo "dtparam=audio=off"; fi
        if [ -n "$sound_overlay" ]; then echo "dtoverlay=$sound_overlay"; fi
        if yes "$watchdog"; then echo "dtparam=watchdog=on"; fi
        # A button between this pin and ground shuts down safely; pin 3 starts again, too.
        if [ -n "$shutdown_pin" ]; then echo "dtoverlay=gpio-shutdown,gpio_pin=$shutdown_pin,debounce=1000"; fi
    } | block "$config"
}

# Last, for after the next start nothing else can be written.
read_only_root() {
    if ! yes "$read_only"; then return; fi
    block /etc/fstab <<END
LABEL=$state_label /var/lib/perpetuum ext4 defaults,noatime,commit=5,nofail,x-systemd.device-timeout=10s 0 2
END
    put /etc/overlayroot.local.conf 644 <<END
# What is written to the root is gone at the next start; other file systems stay writable. To change something:
# sudo overlayroot-chroot
overlayroot="tmpfs:recurse=0"
END
    run install -d -m 755 /var/lib/perpetuum
}

finish() {
    if [ -n "$files" ]; then return; fi
    if [ -d /run/systemd/system ]; then
        run systemctl daemon-reload
        run systemctl enable "perpetuum@$name"
        if [ -n "$reboot" ]; then run systemctl enable perpetuum-reboot.timer; fi
    else
        say "! systemd does not run here: the service is enabled by hand, systemctl enable perpetuum@$name"
    fi
    if [ "$dry_run" = no ]; then
        /opt/perpetuum/bin/perpetuum check "/etc/perpetuum/$name.yaml" || say "! the installation file is not right yet"
        /opt/perpetuum/bin/perpetuum doctor "/etc/perpetuum/$name.yaml" || say "! the doctor has something to say"
    fi
    say "done. A restart brings it all into force: sudo reboot"
}

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) dry_run=yes ;;
        --files)
            [ $# -ge 2 ] || usage
            files=yes root=$2
            shift
            ;;
        -*) usage ;;
        *) break ;;
    esac
    shift
done
[ $# = 1 ] || usage
have "$1"
read_settings "$1"
look
if [ -z "$files" ]; then
    packages
    user
    software
fi
service
machine
boot
read_only_root
finish

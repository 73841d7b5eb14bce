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
package=
wheels=
time_zone=
sound_overlay=
card_path=
onboard_audio=off
shutdown_pin=
watchdog=yes
read_only=no
state_label=perpetuum
ups=no
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

# drop FILE: a file that an earlier run wrote, and that the settings ask for no more, goes.
drop() {
    if [ ! -e "$root$1" ]; then return; fi
    say "+ remove $1"
    if [ "$dry_run" = no ]; then rm -f "$root$1"; fi
}

# others FILE: what stands in it but for our block.
others() { if [ -f "$root$1" ]; then sed '/^# perpetuum: begin$/,/^# perpetuum: end$/d' "$root$1"; fi; }

# block FILE: what comes in stands in the file once, between two marks; all else in it stays.
block() {
    local text rest
    text=$(cat)
    rest=$(others "$1")
    printf '%s\n# perpetuum: begin\n%s\n# perpetuum: end\n' "$rest" "$text" | put "$1" 644
}

# unblock FILE: what an earlier run wrote between the marks goes; a file that holds nothing else goes with it.
unblock() {
    local rest
    if ! grep -qs '^# perpetuum: begin$' "$root$1"; then return; fi
    rest=$(others "$1")
    if [ -n "${rest//[[:space:]]/}" ]; then put "$1" 644 <<<"$rest"; else drop "$1"; fi
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
                shutdown_pin | watchdog | read_only | state_label | ups | reboot) printf -v "$key" '%s' "$value" ;;
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
    for key in onboard_audio watchdog read_only ups; do
        [[ ${!key} =~ ^(yes|no|on|off)$ ]] || fail "\`$key\` is yes or no: ${!key}"
    done
    if [ -n "$installation" ]; then have "$installation"; fi
    if [ -n "$package" ]; then have "$package"; fi
    if [ -n "$wheels" ] && ! compgen -G "$wheels/*.whl" >/dev/null; then fail "\`wheels\`: no wheel lies in $wheels"; fi
}

# Settings that only this machine can judge.
look_at_settings() {
    local type
    if [ -n "$time_zone" ] && [ -d /usr/share/zoneinfo ] && [ ! -f "/usr/share/zoneinfo/$time_zone" ]; then
        fail "\`time_zone\`: there is no $time_zone; \`timedatectl list-timezones\` lists what there is"
    fi
    if yes "$read_only"; then
        type=$(blkid -o value -s TYPE "$(blkid -L "$state_label" || true)" 2>/dev/null || true)
        if [ "$type" != ext4 ]; then
            fail "\`read_only\`: there is no ext4 partition with the label $state_label, and nothing would be\
 remembered: sudo mkfs.ext4 -L $state_label on one that may be emptied (lsblk lists them)"
        fi
    fi
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
    look_at_settings
}

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

packages() {
    local wanted=(python3 python3-venv python3-dev gcc g++ libasound2-dev portaudio19-dev
        libportmidi-dev liblo-dev libsndfile1-dev libsndfile1 alsa-utils chrony ca-certificates tzdata) missing=() one
    if yes "$read_only"; then wanted+=(overlayroot); fi
    if yes "$ups"; then wanted+=(polkitd); fi
    for one in "${wanted[@]}"; do
        if ! installed "$one"; then missing+=("$one"); fi
    done
    if [ ${#missing[@]} -gt 0 ]; then run apt-get update -q; fi
    # Raspberry Pi OS has both, and Debian not always: only buttons, light, relay and alarm contact need them.
    for one in python3-gpiozero python3-lgpio; do
        if installed "$one"; then
            continue
        elif apt-cache show "$one" >/dev/null 2>&1; then
            missing+=("$one")
        else
            say "! there is no package $one here: pins cannot be used"
        fi
    done
    if [ ${#missing[@]} = 0 ]; then return; fi
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

# The package is on no index: it is a wheel, or lies among wheels, or this script lies in its source.
source_folder() {
    if [ -n "$package$wheels" ]; then return; fi
    if [ ! -f "$here/../../pyproject.toml" ]; then fail "\`package\`: give the path of a wheel of Perpetuum"; fi
    (cd "$here/../.." && pwd)
}

# What is to be installed, by content: a wheel of the same name and version may be another one.
wanted_software() {
    echo "${package:-perpetuum}"
    if [ -n "$package" ]; then sha256sum <"$package"; fi
    if [ -n "$wheels" ]; then (cd "$wheels" && sha256sum -- *.whl); fi
    if [ -n "$1" ]; then
        (cd "$1" && find engine pyproject.toml -type f ! -name "*.pyc" -exec sha256sum {} + | sort | sha256sum)
    fi
}

# All that is installed comes from wheels that are kept, pyo's built from its source for double precision: so that a
# spare, whose `wheels` is this folder, needs neither compiler nor network.
software() {
    local folder=/opt/perpetuum/wheels stamp=/opt/perpetuum/installed pip=/opt/perpetuum/bin/pip wanted python built pyo
    local source
    source=$(source_folder)
    wanted=$(wanted_software "$source")
    if [ -x "$pip" ] && [ -f "$stamp" ] && [ "$wanted" = "$(cat "$stamp")" ]; then return; fi
    if [ ! -x "$pip" ]; then run python3 -m venv --system-site-packages /opt/perpetuum; fi
    run install -d -m 755 "$folder"
    if [ -n "$wheels" ]; then
        run cp -r "$wheels/." "$folder"
    else
        # Our own wheel is named, or one of an index would be taken for it; so is its source, for such settings count
        # for what is named alone. What pip keeps of an earlier build was built with who knows which settings.
        python=$(python3 -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
        built=$(compgen -G "$folder/pyo-*-$python-*.whl" || true)
        pyo=(--no-cache-dir --no-binary pyo --config-settings=--build-option=--use-double pyo)
        if [ -n "$built" ]; then pyo=("$(head -n 1 <<<"$built")"); fi
        run "$pip" wheel -q "${pyo[@]}" --find-links "$folder" -w "$folder" "${package:-$source}"
    fi
    # The same version again may be another one by its content.
    run "$pip" install -q --no-index --force-reinstall --find-links "$folder" "${package:-perpetuum}"
    if [ "$dry_run" = no ]; then printf '%s\n' "$wanted" >"$stamp"; fi
}

# The installation file is whoever's who edited it last: one that was edited here stays.
installation_file() {
    local here=/etc/perpetuum/$name.yaml ours=/etc/perpetuum/.$name.installed
    if [ -z "$installation" ]; then return; fi
    if [ -f "$root$here" ] && ! cmp -s "$root$here" "$installation" && ! cmp -s "$root$here" "$root$ours"; then
        say "! $here was edited here and stays; that of the settings lies beside it: $here.new"
        put "$here.new" 640 <"$installation"
        return
    fi
    drop "$here.new"
    put "$here" 640 <"$installation"
    put "$ours" 640 <"$installation"
}

service() {
    local other
    have "$here/../systemd/perpetuum@.service"
    put /etc/systemd/system/perpetuum@.service 644 <"$here/../systemd/perpetuum@.service"
    installation_file
    if [ -z "$files" ] && [ "$dry_run" = no ] && [ -f "/etc/perpetuum/$name.yaml" ]; then
        chgrp perpetuum "/etc/perpetuum/$name.yaml"
    fi
    for other in "$root"/etc/systemd/system/multi-user.target.wants/perpetuum@*.service; do
        other=$(basename "$other" .service)
        if [ "$other" != "perpetuum@*" ] && [ "$other" != "perpetuum@$name" ]; then
            say "! $other is enabled, too, and has the same sound card: sudo systemctl disable --now $other"
        fi
    done
    if yes "$ups"; then
        put /etc/polkit-1/rules.d/50-perpetuum.rules 644 <<END
// The installation may shut the machine down when its UPS says that the mains have failed (\`ups\` of its file).
polkit.addRule(function (action, subject) {
    if (action.id.indexOf("org.freedesktop.login1.power-off") === 0 && subject.user === "perpetuum") {
        return polkit.Result.YES;
    }
});
END
    else
        drop /etc/polkit-1/rules.d/50-perpetuum.rules
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
    else
        drop /etc/systemd/system.conf.d/perpetuum.conf
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
    else
        drop /etc/udev/rules.d/85-perpetuum.rules
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
    else
        if [ -e "$root/etc/systemd/system/perpetuum-reboot.timer" ] && [ -d /run/systemd/system ]; then
            run systemctl disable --now perpetuum-reboot.timer
        fi
        drop /etc/systemd/system/perpetuum-reboot.timer
        drop /etc/systemd/system/perpetuum-reboot.service
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
    if ! yes "$read_only"; then
        unblock /etc/overlayroot.local.conf
        unblock /etc/fstab
        return
    fi
    block /etc/fstab <<END
LABEL=$state_label /var/lib/perpetuum ext4 defaults,noatime,commit=5,nofail,x-systemd.device-timeout=10s 0 2
END
    block /etc/overlayroot.local.conf <<END
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
        if [ "$(systemctl is-enabled "perpetuum@$name" 2>/dev/null)" = masked ]; then
            say "! somebody has masked perpetuum@$name, and it does not start: sudo systemctl unmask perpetuum@$name"
        else
            run systemctl enable "perpetuum@$name"
        fi
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
    look_at_settings # now there are time zones, whatever there was before
    user
    software
fi
service
machine
boot
read_only_root
finish

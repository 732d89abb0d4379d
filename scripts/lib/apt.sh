# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which Debian mirror this machine uses. The image and the kernels are fetched from there, so nothing here names a server: a
# machine behind a local mirror, or with a snapshot of the archive, gets its packages from the place it is set up for.
#
# Variables of the other parts: vm_cache.
# shellcheck shell=bash disable=SC2154

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

apt_codename() {
        # shellcheck source=/dev/null
        (source /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
}

# One line "URI SUITE" for each Debian source of this machine that belongs to its own release (main only).
# A source of somebody else is known by its Origin. apt leaves the field as it is when it has never fetched that source.
apt_find_debian_sources() {
        local codename uri suite component created origin
        codename=$(apt_codename)
        apt-get indextargets --format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT) \$(CREATED_BY) \$(ORIGIN)" |
                while read -r uri suite component created origin; do
                        [[ $created == Packages && $component == main ]] || continue
                        [[ $origin == Debian || $origin == "\$(ORIGIN)" || -z $origin ]] || continue
                        case ${suite%%[-/]*} in
                        "$codename" | stable | oldstable | testing | unstable | sid) ;;
                        *) continue ;;
                        esac
                        case $suite in
                        *-backports*) continue ;;
                        esac
                        printf '%s %s\n' "$uri" "$suite"
                done | sort -u
}

# The same, remembered: apt takes most of a second to answer, and this is asked several times in each run. The answer holds
# for as long as apt's configuration, its lists of sources and the set of what it has fetched stay as they are.
apt_debian_sources() {
        local key memo
        key=$({
                apt_codename
                apt-config dump
                find /etc/apt /var/lib/apt/lists -maxdepth 2 \( -name '*.list' -o -name '*.sources' -o -name '*Release' \) \
                        -printf '%p\n' 2>/dev/null | sort
                find /etc/apt -maxdepth 2 \( -name '*.list' -o -name '*.sources' \) -exec cat {} + 2>/dev/null
                declare -f apt_find_debian_sources
        } | hash_of)
        memo=$vm_cache/sources-$key
        if [[ ! -e $memo ]]; then
                apt_find_debian_sources >"$memo.$BASHPID"
                mv -- "$memo.$BASHPID" "$memo"
        fi
        cat -- "$memo"
}

# The same as lines of a sources.list.
apt_source_lines() {
        local uri suite
        apt_debian_sources | while read -r uri suite; do
                printf 'deb [signed-by=%s] %s %s main\n' "$apt_keyring" "$uri" "$suite"
        done
}

# The mirror that has the release itself: it has the other suites of the archive (backports), too.
apt_main_mirror() {
        apt_debian_sources | awk '$2 !~ /[-\/]/ { print $1; exit }'
}

#!/bin/sh
# Gets what the tests drive, Chromium (through Playwright) and Mosquitto, where it is missing: usage: programs.sh PYTHON-WITH-PLAYWRIGHT
# It never fails: a test whose program is missing says itself what to install (PARCFERME_ALLOW_MISSING=browser,mosquitto skips it).
PATH=$PATH:/usr/sbin:/usr/local/sbin
playwright_python=$1

have_chromium() {
  [ -n "$PARCFERME_CHROMIUM" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
    || ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-*/chrome-linux*/chrome >/dev/null 2>&1
}
playwright_runs() { "$playwright_python" -m playwright --version >/dev/null 2>&1; } # its Node wants a library that a bare Debian has not
have_mosquitto() { [ -n "$PARCFERME_MOSQUITTO" ] || command -v mosquitto >/dev/null; }
allowed() { case ",$PARCFERME_ALLOW_MISSING," in *,"$1",*) return 0 ;; *) return 1 ;; esac; }

wanted=
allowed browser || have_chromium || wanted="chromium fonts-dejavu-core"
allowed browser || playwright_runs || wanted="$wanted libatomic1"
allowed mosquitto || have_mosquitto || wanted="$wanted mosquitto"
wanted=${wanted# }
[ -n "$wanted" ] || exit 0

if command -v apt-get >/dev/null; then
  if [ "$(id -u)" = 0 ]; then root=
  elif [ -t 0 ] && command -v sudo >/dev/null; then root=sudo
  elif sudo -n true 2>/dev/null; then root="sudo -n"
  else root=none
  fi
  if [ "$root" != none ]; then
    echo "make: the tests need $wanted: installing with apt-get"
    log=$(mktemp)
    # shellcheck disable=SC2086  # the words of $root and $wanted are meant to be split
    { $root env DEBIAN_FRONTEND=noninteractive apt-get update -q \
      && $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $wanted; } >"$log" 2>&1 || tail -n 5 "$log"
    rm -f "$log"
  else
    echo "make: the tests need $wanted, and apt-get needs root here: 'sudo apt-get install $wanted'"
  fi
fi

if ! allowed browser && ! have_chromium; then
  echo "make: no Chromium from the system: trying Playwright's own"
  "$playwright_python" -m playwright install chromium 2>&1 | tail -n 2
fi
exit 0

# Sourced by the scripts beside it: goes to the top of the project, whatever the current directory.
set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
jobs=$(nproc)

# A bare machine may have neither, and the BEAM wants both.
export HOME=${HOME:-$PWD/build/home}
[ -n "${LC_ALL-}${LC_CTYPE-}${LANG-}" ] || export LC_ALL=C.UTF-8

# build PRESET [TARGET...] - what is missing from Debian, then CMake, then the targets (or all).
build() {
  local preset=$1 targets=()
  shift
  [ $# -eq 0 ] || targets=(--target "$@")
  scripts/setup
  cmake --preset "$preset" "${configure[@]}"
  cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}"
}
configure=() # further arguments of cmake --preset

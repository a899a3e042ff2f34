#!/usr/bin/env bash
# setup.sh build|test|lint|sanitize|checks|bench|all
# Installs what this machine lacks for that purpose and says what it installs. Does nothing, and needs
# no network, once everything is there. Debian 12; package versions are those of that release, Python
# packages are pinned with hashes in tools/requirements.txt and tools/requirements-bench.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

# Fixed by the release: g++ 12, CMake 3.25, Boost 1.81, CLI11 2.1, GoogleTest 1.12, libcurl 7.88,
# OpenSSL 3.0, libpq and PostgreSQL 15, SQLite 3.40, toml++ 3.3, spdlog 1.10, SIMDe 0.7.4, libjwt 1.10, Hyperscan 5.4.0, clang 19.
build=(g++-12 g++ cmake ninja-build make libcli11-dev libboost1.81-dev libcurl4-openssl-dev libssl-dev
  libpq-dev libsqlite3-dev libtomlplusplus-dev)
test=(libgtest-dev libgmock-dev libfmt-dev libspdlog-dev libsimde-dev nghttp2-server openssl python3 python3-venv pkg-config gdb
  strace procps util-linux faketime postgresql-15 sqlite3 libjwt0)
lint=(clang-19 clang-tidy-19 clang-format-19 shellcheck)
sanitize=(clang-19 libclang-rt-19-dev llvm-19)
bench=(libbenchmark-dev libhyperscan-dev libjwt-dev daemontools tini runit curl jq)

case "${1:-all}" in
  build) packages=("${build[@]}") ;;
  test) packages=("${build[@]}" "${test[@]}") ;;
  lint) packages=("${build[@]}" "${lint[@]}" "${test[@]}") ;;
  sanitize) packages=("${build[@]}" "${test[@]}" "${sanitize[@]}") ;;
  bench) packages=("${build[@]}" "${test[@]}" "${bench[@]}") ;;
  checks) packages=("${build[@]}" "${test[@]}" "${lint[@]}" "${sanitize[@]}") ;;
  all) packages=("${build[@]}" "${test[@]}" "${lint[@]}" "${sanitize[@]}" "${bench[@]}") ;;
  *) echo "usage: setup.sh build|test|lint|sanitize|checks|bench|all" >&2; exit 64 ;;
esac

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [[ $state == installed ]] || missing+=("$package")
done

if ((${#missing[@]})); then
  root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "setup: these packages are missing and need root to install:" >&2
      echo "  apt-get install ${missing[*]}" >&2
      exit 77
    fi
    root=(sudo -n)
  fi
  echo "setup: installing Debian packages: ${missing[*]}"
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null </dev/null
fi

# install_python REQUIREMENTS DIRECTORY PIP_OPTION...: into DIRECTORY, with pip of build/venv, unless it is there.
install_python() {
  local requirements=$1 directory=$2 wanted
  wanted=$(sha256sum "$requirements" | cut -d' ' -f1)
  [[ -f $directory/requirements.sha256 && $(<"$directory/requirements.sha256") == "$wanted" ]] && return
  echo "setup: installing Python packages into $directory: $(grep -oE '^[A-Za-z0-9-]+==[0-9a-z.]+' "$requirements" | paste -sd' ')"
  rm -rf "$directory"
  [[ $directory == build/venv ]] && /usr/bin/python3 -m venv build/venv
  build/venv/bin/pip install --quiet --disable-pip-version-check --no-input --no-deps \
    --require-hashes -r "$requirements" "${@:3}"
  echo "$wanted" >"$directory/requirements.sha256"
}

# The tests' Python: reference implementations to compare with.
if [[ ${1:-all} != build ]]; then
  install_python tools/requirements.txt build/venv
fi
# The AWS command line, with a botocore of its own.
if [[ ${1:-all} == bench || ${1:-all} == all ]]; then
  install_python tools/requirements-bench.txt build/awscli --target build/awscli
fi

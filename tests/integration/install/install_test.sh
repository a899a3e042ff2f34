#!/bin/bash
# Installs the build into a prefix of its own and uses it from there as others would.
#
# Usage: install_test.sh BUILD_DIRECTORY SOURCE_DIRECTORY
set -euo pipefail

build=$1
source=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/qarion-install-XXXXXX")
trap 'rm -rf "$work"' EXIT
# Whatever the umask of whoever installs: the loader refuses what everybody can write to.
umask 022

prefix=$work/prefix
password="fake-password-$$-$RANDOM"

fail() {
  echo "install_test: $*" >&2
  exit 1
}

step() { echo "--- $*"; }

# expect_service_works [VARIABLE=VALUE...] PROGRAM: started where the password is, the service must
# get it and must not log it.
expect_service_works() {
  local output
  output=$(cd "$work/service" && env -i "$@" 2>&1) || fail "$* failed: $output"
  grep -q "connected with a password of ${#password} bytes" <<<"$output" ||
    fail "$* did not get its password"
  grep -qF 'connecting to postgres://app:***@db/app' <<<"$output" || fail "$* did not scrub"
  ! grep -qF "$password" <<<"$output" || fail "$* shows its password"
}

# The same of the installed command, in the tree given.
expect_command_works() {
  local tree=$1 output
  shift
  output=$(cd "$work/service" && env -i "$@" "$tree/bin/qsecrets" get POSTGRES_PASSWORD) ||
    fail "$tree/bin/qsecrets failed"
  [[ $output == "$password" ]] || fail "$tree/bin/qsecrets prints something else"
}

# What the second program does, in the tree given.
expect_fernet_works() {
  local key
  key=$(env -i "$1/bin/qsecrets" fernet keygen) || fail "$1/bin/qsecrets fernet failed"
  [[ ${#key} == 44 ]] || fail "qsecrets fernet keygen prints something else"
}

links_to_library() { readelf -d "$1" | grep -q 'NEEDED.*libqarion_secrets'; }

step "install"
cmake --install "$build" --prefix "$prefix" >"$work/install.log"
libdir=$(dirname "$(find "$prefix" -name pkgconfig -type d)")
for file in \
  include/qarion/secrets/runtime.h \
  include/qarion/secrets/provider_abi.h \
  bin/qsecrets; do
  [[ -f $prefix/$file ]] || fail "$file is not installed"
done
for file in libqarion_secrets.so libqarion_secrets.so.0 libqarion_secrets.a \
  cmake/QarionSecrets/QarionSecretsConfig.cmake pkgconfig/qarion-secrets.pc; do
  [[ -e $libdir/$file ]] || fail "$libdir/$file is not installed"
done
[[ -x $libdir/qarion-secrets/qsecrets-keys ]] || fail "qsecrets-keys is not installed"
[[ $(stat -c %a "$libdir/qarion-secrets") == 755 ]] || fail "the directory of modules has other rights"

mkdir "$work/service"
(umask 077 && printf 'POSTGRES_PASSWORD=%s\n' "$password" >"$work/service/.env")

step "the command"
expect_command_works "$prefix"
expect_rotation_works() {
  local work old new
  work=$(mktemp -d)
  old=$(env -i "$1/bin/qsecrets" fernet keygen)
  new=$(env -i "$1/bin/qsecrets" fernet keygen)
  sqlite3 "$work/app.db" "CREATE TABLE instances (id INTEGER PRIMARY KEY, database_url TEXT);
    CREATE TABLE export_configs (id INTEGER PRIMARY KEY, credentials TEXT);
    INSERT INTO instances VALUES (1, '$(env -i INSTANCE_ENCRYPTION_KEY="$old" "$1/bin/qsecrets" fernet encrypt <<<fake)');"
  env -i INSTANCE_ENCRYPTION_KEY="$new" INSTANCE_ENCRYPTION_KEY_PREVIOUS="$old" "$1/bin/qsecrets" \
    rotate encryption-key --yes --database "sqlite:$work/app.db" >/dev/null 2>"$work/log" ||
    fail "qsecrets rotate of $1 failed: $(cat "$work/log")"
  rm -r "$work"
}

expect_fernet_works "$prefix"
expect_rotation_works "$prefix"

step "find_package, shared and static"
cmake -S "$source/examples/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_BUILD_TYPE=Release >"$work/consumer.log" || fail "$(tail -20 "$work/consumer.log")"
cmake --build "$work/consumer" >"$work/consumer.log" || fail "$(tail -20 "$work/consumer.log")"
links_to_library "$work/consumer/service" || fail "Qarion::secrets is not the shared library"
! links_to_library "$work/consumer/service_static" || fail "Qarion::secrets_static is not static"
expect_service_works "$work/consumer/service"
expect_service_works "$work/consumer/service_static"

step "pkg-config, shared and static"
cp -r "$source/examples/consumer" "$work/plain"
make -C "$work/plain" -s service service_static PKG_CONFIG_PATH= \
  PKG_CONFIG="env PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config"
links_to_library "$work/plain/service" || fail "pkg-config --libs is not the shared library"
! links_to_library "$work/plain/service_static" || fail "service_static is not static"
expect_service_works LD_LIBRARY_PATH="$libdir" "$work/plain/service"
expect_service_works "$work/plain/service_static"

step "what stands on OpenSSL, shared and static"
mkdir "$work/fernet"
cat >"$work/fernet/main.cc" <<'END'
#include <qarion/secrets/fernet.h>
namespace secrets = qarion::secrets;
int main() {
  auto key = secrets::FernetKey::Generate();
  if (!key) return secrets::Report(key.error());
  auto fernet = secrets::Fernet::Create(key->Share());
  if (!fernet) return secrets::Report(fernet.error());
  auto token = fernet->Encrypt("fake-value");
  if (!token) return secrets::Report(token.error());
  auto message = fernet->Decrypt(*token);
  return message && message->plaintext.Reveal() == "fake-value" ? 0 : 1;
}
END
cat >"$work/fernet/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(fernet LANGUAGES CXX)
find_package(QarionSecrets 0.1 REQUIRED)
foreach(library secrets secrets_static)
  add_executable(with_${library} main.cc)
  target_link_libraries(with_${library} PRIVATE Qarion::${library})
endforeach()
END
cmake -S "$work/fernet" -B "$work/fernet/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/fernet.log" ||
  fail "$(tail -20 "$work/fernet.log")"
cmake --build "$work/fernet/build" >>"$work/fernet.log" || fail "$(tail -20 "$work/fernet.log")"
for library in secrets secrets_static; do
  "$work/fernet/build/with_$library" || fail "Qarion::$library does not encrypt"
done
read -ra libraries < <(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --static --libs qarion-secrets |
  sed 's/-lqarion_secrets/-l:libqarion_secrets.a/')
g++ -std=c++20 -I"$prefix/include" "$work/fernet/main.cc" -o "$work/fernet/plain" "${libraries[@]}" ||
  fail "pkg-config --static does not link"
"$work/fernet/plain" || fail "the static library does not encrypt"

step "tokens"
cmake -S "$source/examples/jwt" -B "$work/jwt" -DCMAKE_PREFIX_PATH="$prefix" >"$work/jwt.log" ||
  fail "$(tail -20 "$work/jwt.log")"
cmake --build "$work/jwt" >"$work/jwt.log" || fail "$(tail -20 "$work/jwt.log")"
shown=$(cd "$work" && env -i SECRET_KEY="$(env -i "$prefix/bin/qsecrets" jwt keygen)" "$work/jwt/tokens")
[[ $shown == "access token: alice, signed with the current key
refresh token: alice, signed with the current key
refresh token as an access token: wrong_type" ]] || fail "the example shows: $shown"

step "a backend of a third party"
cmake -S "$source/examples/provider" -B "$work/provider" -DCMAKE_PREFIX_PATH="$prefix" \
  -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_BUILD_TYPE=Release >"$work/provider.log" ||
  fail "$(tail -20 "$work/provider.log")"
cmake --build "$work/provider" >"$work/provider.log" || fail "$(tail -20 "$work/provider.log")"
cmake --install "$work/provider" >"$work/provider.log"
! links_to_library "$libdir/qarion-secrets/qarion_secrets_example.so" ||
  fail "the module links the library"
(umask 077 && printf '{"POSTGRES_PASSWORD": "%s"}' "$password" >"$work/service/secret.json")
rm "$work/service/.env"
example=(SECRETS_BACKEND=example EXAMPLE_FILE=secret.json)
expect_command_works "$prefix" "${example[@]}"
expect_service_works "${example[@]}" "$work/consumer/service"

step "the tree moved elsewhere"
mv "$prefix" "$work/moved"
expect_command_works "$work/moved" "${example[@]}"
expect_fernet_works "$work/moved"
expect_rotation_works "$work/moved"

echo "install_test: all is well"

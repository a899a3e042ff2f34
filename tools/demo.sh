#!/usr/bin/env bash
# demo.sh QSECRETS: the main job on the defaults, in a temporary directory. Every command is shown before
# it runs; what follows is its real output.
set -euo pipefail
qsecrets=$(realpath "$1")
PATH=$(dirname "$qsecrets"):$PATH

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
# Only what this demo sets.
for name in $(compgen -e | grep -E '^(SECRETS_|SECRET_KEY|POSTGRES_PASSWORD|INSTANCE_ENCRYPTION_KEY|SENDGRID_API_KEY)' || true); do
  unset "$name"
done

random() { head -c "$1" /dev/urandom | base64 -w0 | tr '+/' '-_'; }
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}
[[ -t 1 && -z ${NO_COLOR:-} ]] || say() { printf '\n%s\n' "$*"; }

umask 077
cat >.env <<EOF
# made for this demo
SECRET_KEY=$(random 36)
POSTGRES_PASSWORD='$(random 18)'
INSTANCE_ENCRYPTION_KEY=$(random 32)
SENDGRID_API_KEY=SG.$(random 16).$(random 32)
SECRETS_CACHE_TTL=60
EOF

cat >service.sh <<'EOF'
#!/bin/sh
# Does its work, and logs more than it should.
echo "service: starting, pid $$"
echo "service: config database=postgres://app:$POSTGRES_PASSWORD@db:5432/app"
echo "service: config signing_key=$SECRET_KEY" >&2
printf 'service: job 1 done\nservice: mail sent with key %s\n' "$SENDGRID_API_KEY"
echo "service: my database password has ${#POSTGRES_PASSWORD} characters, so it did arrive"
EOF
chmod +x service.sh

say "A .env file with fresh secrets lies in $directory. Is it in order?"
run qsecrets check

say "What is set, and where does it come from?"
run qsecrets list

say "One value, as a script would take it (here only its length is shown):"
printf '\n$ qsecrets get POSTGRES_PASSWORD | wc -c\n'
qsecrets get POSTGRES_PASSWORD | wc -c

say "A service that logs its configuration, run with its secrets:"
run qsecrets exec -- ./service.sh

say "Next:"
cat <<EOF
  qsecrets --help                         every command, with examples
  qsecrets exec -- YOUR-SERVICE           in a directory with your own .env
  YOUR-SERVICE 2>&1 | qsecrets scrub      the scrubber alone
  docs/guide/operators.md                 settings, files, Kubernetes, Docker, systemd
EOF

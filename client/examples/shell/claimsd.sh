#!/bin/sh
# claimsd.sh GATE: reads a bearer token from standard input, asks claimsd, and prints the user's id, email address and roles, percent-encoded.
# Exit status: 0 valid, 1 the token is rejected or missing, 4 the user has none of the gate's roles, 3 no verdict. Only 0 may let a request in.
# CLAIMSD_SOCKET replaces the default socket.
set -eu
gate=${1:?usage: claimsd.sh GATE <token}
read -r token || [ -n "$token" ] || token=

# The token goes through standard input: the arguments of a process are visible to all users.
answer=$(printf 'Authorization: Bearer %s\n' "$token" |
  curl --silent --max-time 5 --noproxy '*' --unix-socket "${CLAIMSD_SOCKET:-/run/claimsd/http.sock}" --header @- --output /dev/null --dump-header - \
    --write-out 'status %{http_code}\n' "http://claimsd/v1/auth/$gate") || exit 3
case $answer in
  *'status 200') printf '%s\n' "$answer" | tr -d '\r' | sed -n 's/^X-Claims-\(Id\|Email\|Roles\): */\1 /p' ;;
  *'status 401') exit 1 ;;
  *'status 403') exit 4 ;;
  *) exit 3 ;;
esac

#!/bin/bash
# first_five_minutes.sh [BUILD]: follows the contract document from a new environment and a new project to the first 200.
#
# With and without claimsd on the host, with and without a compiler. Each way must take less than two minutes, with no 503 on the way. BUILD
# (default: build/dev) has claimsd. Everything runs in namespaces, so this host's /run/claimsd and /etc/claimsd do not matter, and all processes end
# with the script. Needs root.
set -euo pipefail

HERE=$(dirname "$(realpath "$0")")
CHECKOUT=$(realpath "$HERE/../..")
readonly HERE CHECKOUT LIMIT=120 # seconds
readonly PYTHON=/usr/bin/python3

if [[ ${1:-} != --inside ]]; then
  build=$(realpath "${1:-$CHECKOUT/build/dev}")
  [[ -x $build/daemon/claimsd ]] || { echo "no claimsd in $build: build it first" >&2; exit 2; }
  exec unshare --mount --pid --fork --kill-child --mount-proc "$0" --inside "$build"
fi
readonly BUILD=$2

work=$(mktemp -d /tmp/five.XXXXXX)
trap 'rm -rf "$work"' EXIT
mount -t tmpfs tmpfs /run
mkdir -p /run/empty && { [[ ! -d /etc/claimsd ]] || mount --bind /run/empty /etc/claimsd; }
unset DJANGO_SETTINGS_MODULE PYTHONPATH PYTHONHOME
export PYTHONWARNINGS=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

fail() { echo "FAILED: $1" >&2; exit 1; }

wait_for() { # FILE NAME
  local _
  for _ in {1..600}; do [[ ! -e $1 ]] || return 0; sleep 0.1; done
  fail "$2 did not start"
}

start_auth_api() { # the clinic's Auth API: logs in, confirms and rejects
  mkdir "$work/authapi"
  $PYTHON -B - "$CHECKOUT/tests" "$work/authapi" <<'EOF' &
import pathlib, sys, time
tests, root = map(pathlib.Path, sys.argv[1:])
sys.path[1:1] = [str(tests / "system"), str(tests / "support"), str(tests / "authapi")]
from servers import AuthApi
with AuthApi(root) as api:
    (root / "token").write_text(api.login("tess"))
    (root / "url.new").write_text(f"http://127.0.0.1:{api.port}")
    (root / "url.new").rename(root / "url")
    time.sleep(3600)
EOF
  wait_for "$work/authapi/url" "the Auth API"
}

start_claimsd() {
  mkdir -p /run/claimsd
  PYTHONPATH="$CHECKOUT/tests/system:$CHECKOUT/tests/support" $PYTHON -B - "$BUILD" "$work/daemon" "$(cat "$work/authapi/url")" <<'EOF' &
import os, sys, time
from daemon import Claimsd
with Claimsd(*sys.argv[1:]) as daemon:
    os.symlink(daemon.socket, "/run/claimsd/claims.sock")
    time.sleep(3600)
EOF
  wait_for /run/claimsd/claims.sock claimsd
}

# install PROJECT with|without: a new environment, and option 1 of the document: by git, from this checkout
install() {
  $PYTHON -m venv --system-site-packages "$1/venv"
  # shellcheck disable=SC1091
  source "$1/venv/bin/activate"
  local compiler=()
  [[ $2 == with ]] || compiler=(env CC=/bin/false CXX=/bin/false)
  "${compiler[@]}" pip install --quiet --no-index --no-build-isolation "git+file://$work/repository@main"
  cd "$1"
}

make_project() { # the two settings and the view of the document; step 1 (INSTALLED_APPS), which is optional, if claimsd is there
  python -m django startproject lumen .
  [[ ! -e /run/claimsd ]] || echo 'INSTALLED_APPS += ["auth_integration"]' >>lumen/settings.py
  cat >>lumen/settings.py <<EOF

AUTH_API_URL = "$(cat "$work/authapi/url")"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "auth_integration.authentication.AuthAPITokenAuthentication",
    ],
}
EOF
  cat >lumen/views.py <<'EOF'
from rest_framework.views import APIView
from rest_framework.response import Response
from auth_integration.permissions import HasRole

class TechOnlyView(APIView):
    permission_classes = [HasRole("rvt")]

    def get(self, request):
        return Response({"message": f"Hello, {request.user_claims['email']}!"})
EOF
  cat >lumen/urls.py <<'EOF'
from django.urls import path
from lumen.views import TechOnlyView
urlpatterns = [path("tech/", TechOnlyView.as_view())]
EOF
}

request() { # PORT TOKEN: prints the status; "000" while no server listens
  curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $2" "http://127.0.0.1:$1/tech/" || true
}

five_minutes() { # NAME EXPECTED_TRANSPORT with|without
  local name=$1 began=$SECONDS status=000 port server transport took
  install "$work/$1" "$3"
  make_project
  port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  python -B manage.py runserver --noreload "127.0.0.1:$port" >server.log 2>&1 &
  server=$!
  while [[ $status == 000 ]] && ((SECONDS - began <= LIMIT)) && kill -0 "$server" 2>/dev/null; do # the first answer counts
    sleep 0.1
    status=$(request "$port" "$(cat "$work/authapi/token")")
  done
  took=$((SECONDS - began))
  [[ $status == 200 ]] || fail "$name: the first answer was $status after $took s; the server printed: $(cat server.log)"
  grep -q 'Hello, tess@example.com!' answer || fail "$name: the answer is $(cat answer)"
  status=$(request "$port" made-up)
  [[ $status == 401 ]] || fail "$name: a made-up token was answered $status"
  transport=$(DJANGO_SETTINGS_MODULE=lumen.settings python -B -c 'import django; django.setup(); from auth_integration.conf import Settings; print(Settings().transport)')
  [[ $transport == "$2" ]] || fail "$name: the transport is $transport"
  kill "$server"
  deactivate
  printf '%-34s first answer 200 (%s) after %3d s\n' "$name" "$transport" "$took"
  ((took < LIMIT)) || fail "$name took longer than $LIMIT s"
}

startup_error() { # NAME: claimsd on the host and no compiler is an error that names the fix, and never a silent detour
  local output
  install "$work/$1" without
  make_project
  output=$(python -B -c 'import lumen.wsgi' 2>&1) && fail "$1: the server started"
  [[ $output == *'the extension auth_integration._claimsd is not built: install a C++ compiler'* ]] || fail "$1: $output"
  deactivate
  printf '%-34s a startup error that names the fix\n' "$1"
}

$PYTHON -B -c 'import pathlib, sys; sys.path.insert(0, sys.argv[1]); from install_for_tests import copy_sources; copy_sources(pathlib.Path(sys.argv[2]))' "$HERE" "$work/repository"
git -C "$work/repository" init -q -b main
git -C "$work/repository" add -A
git -C "$work/repository" -c user.name=t -c user.email=t@example.com commit -qm first
start_auth_api
five_minutes "without claimsd, with a compiler" direct with
five_minutes "without claimsd, without compiler" direct without
start_claimsd
five_minutes "with claimsd and a compiler" daemon with
startup_error "with claimsd, without compiler"
echo "the first five minutes hold"

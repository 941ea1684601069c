#!/bin/bash
# first_five_minutes.sh [BUILD]: the contract document in hand, a new environment, a new project, two settings and one view, until the first 200.
#
# Four times: with and without claimsd on the host, with and without a compiler. Each must take less than two minutes, with no 503 on the way. BUILD
# (default: build/release) has claimsd. Everything runs in a mount namespace of its own, so this host's /run/claimsd and /etc/claimsd do not matter. Needs root.
set -euo pipefail

HERE=$(dirname "$(realpath "$0")")
CHECKOUT=$(realpath "$HERE/../..")
readonly HERE CHECKOUT LIMIT=120 # seconds

if [[ ${1:-} != --inside ]]; then
  build=$(realpath "${1:-$CHECKOUT/build/release}")
  [[ -x $build/daemon/claimsd ]] || { echo "no claimsd in $build: build it first" >&2; exit 2; }
  exec unshare --mount --propagation private "$0" --inside "$build"
fi
readonly BUILD=$2

work=$(mktemp -d /tmp/five.XXXXXX)
pids=()
# shellcheck disable=SC2317 # called by the trap
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
mount -t tmpfs tmpfs /run
mkdir -p /run/empty && { [[ ! -d /etc/claimsd ]] || mount --bind /run/empty /etc/claimsd; }

fail() { echo "FAILED: $1" >&2; exit 1; }

start_auth_api() { # the clinic's Auth API: logs in, confirms and rejects
  mkdir "$work/authapi"
  /usr/bin/python3 -B - "$CHECKOUT/tests" "$work/authapi" <<'PYTHON' &
import pathlib, sys, time
tests, root = map(pathlib.Path, sys.argv[1:])
sys.path[1:1] = [str(tests / "system"), str(tests / "support"), str(tests / "authapi")]
from servers import AuthApi
with AuthApi(root) as api:
    (root / "token.new").write_text(api.login("tess"))
    (root / "url.new").write_text(f"http://127.0.0.1:{api.port}")
    for name in ("token", "url"):
        (root / f"{name}.new").rename(root / name)
    time.sleep(3600)
PYTHON
  pids+=($!)
  for _ in {1..600}; do [[ ! -e $work/authapi/url ]] || return 0; sleep 0.1; done
  fail "the Auth API did not start"
}

start_claimsd() {
  mkdir -p /run/claimsd /run/claimsd-admin /run/claimsd-cache "$work/state"
  chmod 0700 /run/claimsd-cache "$work/state"
  PYTHONPATH="$CHECKOUT/tests/system:$CHECKOUT/tests/support" /usr/bin/python3 -B - "$BUILD" "$work/daemon" "$(cat "$work/authapi/url")" <<'PYTHON' &
import os, pathlib, sys, time
from daemon import Claimsd
build, root, url = sys.argv[1:]
pathlib.Path(root).mkdir()
with Claimsd(pathlib.Path(build), pathlib.Path(root), url) as daemon:
    os.symlink(daemon.socket, "/run/claimsd/claims.sock")
    time.sleep(3600)
PYTHON
  claimsd_pid=$!
  pids+=("$claimsd_pid")
  for _ in {1..300}; do [[ ! -S /run/claimsd/claims.sock ]] || return 0; sleep 0.1; done
  fail "claimsd did not start"
}

stop_claimsd() {
  kill "$claimsd_pid"
  wait "$claimsd_pid" 2>/dev/null || true
  rm -rf /run/claimsd "$work/daemon"
}

# What the contract document says, step by step.
five_minutes() { # NAME EXPECTED_TRANSPORT COMPILER
  local name=$1 expected=$2 compiler=$3 began=$SECONDS project=$work/$1 status pid port
  /usr/bin/python3 -m venv --system-site-packages "$project/venv"
  # shellcheck disable=SC1091
  source "$project/venv/bin/activate"
  local -x CC=$compiler PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONWARNINGS=ignore
  [[ $compiler != /bin/false ]] || export CXX=/bin/false
  # Option 1: install by git, from this checkout.
  pip install --quiet "git+file://$work/repository@main"
  unset CXX
  cd "$project"
  python -m django startproject lumen .
  cat >>lumen/settings.py <<PYTHON

AUTH_API_URL = "$(cat "$work/authapi/url")"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "auth_integration.authentication.AuthAPITokenAuthentication",
    ],
}
PYTHON
  cat >lumen/views.py <<'PYTHON'
from rest_framework.views import APIView
from rest_framework.response import Response
from auth_integration.permissions import HasRole

class TechOnlyView(APIView):
    permission_classes = [HasRole("rvt")]

    def get(self, request):
        return Response({"message": f"Hello, {request.user_claims['email']}!"})
PYTHON
  cat >lumen/urls.py <<'PYTHON'
from django.urls import path
from lumen.views import TechOnlyView
urlpatterns = [path("tech/", TechOnlyView.as_view())]
PYTHON
  port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  python -B manage.py runserver --noreload "127.0.0.1:$port" >server.log 2>&1 &
  pid=$!
  pids+=("$pid")
  for _ in {1..300}; do
    status=$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $(cat "$work/authapi/token")" "http://127.0.0.1:$port/tech/" || true)
    [[ $status == 000 ]] || break # until the server listens; the first answer counts
    sleep 0.1
  done
  local rejected chosen
  chosen=$(DJANGO_SETTINGS_MODULE=lumen.settings python -B -c 'import django; django.setup(); from auth_integration.conf import Settings; print(Settings().transport)')
  rejected=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer made-up" "http://127.0.0.1:$port/tech/")
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  deactivate
  cd /
  [[ $status == 200 ]] || { cat "$project/server.log" "$project/answer" >&2; fail "$name: the first answer was $status"; }
  [[ $rejected == 401 ]] || fail "$name: a made-up token was answered $rejected"
  [[ $chosen == "$expected" ]] || fail "$name: the transport is $chosen"
  grep -q 'Hello, tess@example.com!' "$project/answer" || fail "$name: the answer is $(cat "$project/answer")"
  local took=$((SECONDS - began))
  printf '%-34s first answer 200 (%s) after %3d s\n' "$name" "$expected" "$took"
  ((took < LIMIT)) || fail "$name took longer than $LIMIT s"
}

# Claimsd on the host, but no compiler at install: an error that says what to do, not a silent detour.
startup_error() {
  local project=$work/$1
  /usr/bin/python3 -m venv --system-site-packages "$project/venv"
  # shellcheck disable=SC1091
  source "$project/venv/bin/activate"
  CC=/bin/false CXX=/bin/false PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 pip install --quiet "git+file://$work/repository@main"
  cd "$project"
  cat >settings.py <<PYTHON
SECRET_KEY = "x"
INSTALLED_APPS = ["rest_framework", "auth_integration"]
AUTH_API_URL = "$(cat "$work/authapi/url")"
PYTHON
  local said
  said=$(DJANGO_SETTINGS_MODULE=settings PYTHONWARNINGS=ignore python -B -c 'import django; django.setup()' 2>&1) && fail "$1: the server started"
  [[ $said == *'the extension auth_integration._claimsd is not built: install a C++ compiler'* ]] || fail "$1: $said"
  deactivate
  cd /
  printf '%-34s a startup error that names the fix\n' "$1"
}

mkdir "$work/repository"
/usr/bin/python3 -B -c 'import pathlib, sys; sys.path.insert(0, sys.argv[1]); from install_for_tests import copy_sources; copy_sources(pathlib.Path(sys.argv[2]))' "$HERE" "$work/repository"
git -C "$work/repository" init -q -b main
git -C "$work/repository" add -A
git -C "$work/repository" -c user.name=t -c user.email=t@example.com commit -qm first
start_auth_api
five_minutes "without claimsd, with a compiler" direct g++
five_minutes "without claimsd, without compiler" direct /bin/false
start_claimsd
five_minutes "with claimsd and a compiler" daemon g++
startup_error "with claimsd, without compiler"
stop_claimsd
echo "the first five minutes hold"

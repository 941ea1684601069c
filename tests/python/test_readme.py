"""The Django example of README.md, run as it stands there: only the address of the Auth API is filled in."""

import json
import os
import pathlib
import re
import subprocess
import sys

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
REST = 'SECRET_KEY, ROOT_URLCONF, USE_TZ, INSTALLED_APPS = "x", "urls", True, ["rest_framework"]\n'
URLS = 'from django.urls import path\nimport views\nurlpatterns = [path("worklist/", views.Worklist.as_view())]\n'
SCRIPT = """
import django, json, sys; django.setup()
from rest_framework.test import APIClient
for token in sys.argv[1:]:
    answer = APIClient().get("/worklist/", HTTP_AUTHORIZATION=f"Bearer {token}")
    print(json.dumps([answer.status_code, answer.json()]))
"""


def test_the_example_answers_200_403_and_401(claimsd, auth_api, tmp_path):
    daemon = claimsd(auth_api.url)
    (example,) = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    settings, views = example.split("# views.py\n")
    settings = settings.replace("https://auth.example.com", auth_api.url)
    assert auth_api.url in settings
    files = {"settings": f'{settings}{REST}AUTH_INTEGRATION = {{"SOCKET": {str(daemon.socket)!r}}}\n', "views": views, "urls": URLS, "script": SCRIPT}
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    done = subprocess.run([sys.executable, "-B", "-W", "ignore", "script.py", auth_api.login("tess"), auth_api.login("dana"), "made-up"],
                          capture_output=True, text=True, cwd=tmp_path, timeout=120,
                          env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"], "DJANGO_SETTINGS_MODULE": "settings"})
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[0] == [200, {"message": "hello, tess@example.com"}]
    assert [status for status, _ in answers] == [200, 403, 401]

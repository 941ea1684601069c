"""A project can translate the messages to clients with an ordinary catalog."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from auth_integration.reasons import REASONS
from install_for_tests import ROOT

CATALOG = {
    "Not authenticated: %(reason)s.": "Nicht angemeldet: %(reason)s.",
    REASONS["rejected"][1]: "bitte neu anmelden",
    "You do not have the required role.": "Die nötige Rolle fehlt.",
    "Your identity cannot be checked at the moment. Try again shortly.": "Bitte gleich noch einmal versuchen.",
}


@pytest.fixture
def german(tmp_path, use):
    if shutil.which("msgfmt") is None:
        pytest.fail("install gettext")
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    quoted = {original.replace('"', '\\"'): text for original, text in CATALOG.items()}
    rows = "".join(f'msgid "{original}"\nmsgstr "{text}"\n\n' for original, text in quoted.items())
    (folder / "django.po").write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + rows)
    subprocess.run(["msgfmt", "-o", str(folder / "django.mo"), str(folder / "django.po")], check=True)
    use(LOCALE_PATHS=[str(tmp_path)], USE_I18N=True)
    trans_real._translations = {}
    with translation.override("de"):
        yield
    trans_real._translations = {}


@pytest.mark.parametrize("path", ["/tech/", "/plain/"])
def test_messages_to_a_client_are_translated(api, german, path):
    client = Client()
    answer = client.get(path, HTTP_AUTHORIZATION="Bearer unknown")
    assert answer.json()["detail"] == "Nicht angemeldet: bitte neu anmelden."
    assert answer["WWW-Authenticate"].isascii() and "bitte" not in answer["WWW-Authenticate"]
    token = api.issue("receptionist")
    assert client.get(path, HTTP_AUTHORIZATION=f"Bearer {token}").json()["detail"] == "Die nötige Rolle fehlt."
    with api.outage():
        assert client.get(path, HTTP_AUTHORIZATION=f"Bearer {token}").json()["detail"] == "Bitte gleich noch einmal versuchen."


def test_the_command_of_the_readme_finds_every_message(tmp_path):
    command, = re.findall(r"^xgettext .*?\.py$", (ROOT / "client" / "python" / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    subprocess.run(command.replace("python3", sys.executable), shell=True, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"]})
    joined = (tmp_path / "messages.pot").read_text().replace('"\n"', "").replace('\\"', '"')
    shown = [text for verdict, text in REASONS.values() if verdict == "invalid"]
    assert [text for text in [*CATALOG, *shown] if text not in joined] == []

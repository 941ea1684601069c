"""Lumen allows each role exactly what lumen/studies/access.py says, here with a fake Auth API."""

import pytest

PEOPLE = {
    "rvt": ("rvt", "North"), "other rvt": ("rvt", "South"), "doctor": ("doctor", "North"), "other doctor": ("doctor", "South"),
    "admin": ("admin", "North"), "receptionist": ("receptionist", "North"), "nurse": ("nurse", "North"),
}
SCHEDULED, PERFORMED, SIGNED = 2044, 2041, 2043  # of the clinic North
# Expected status of each role: (worklist, read, write findings, sign, overview).
MATRIX = {
    "rvt": (200, 200, 200, 403, 403),
    "other rvt": (200, 403, 403, 403, 403),
    "doctor": (200, 200, 403, 200, 200),
    "other doctor": (200, 403, 403, 403, 200),
    "admin": (200, 200, 403, 403, 200),
    "receptionist": (200, 403, 403, 403, 403),
    "nurse": (403, 403, 403, 403, 403),
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Lumen's tables, in a temporary file."""
    import os

    os.environ["LUMEN_DATA"] = str(tmp_path_factory.mktemp("lumen"))
    from lumen.prepare import main
    main()


@pytest.fixture
def lumen(tables):
    """lumen("rvt"): the client of that role; every test starts with the seeded day."""
    from auth_integration.testing import FakeAuthApi
    from lumen.studies.models import Study
    from lumen.studies.seed import seed

    Study.objects.all().delete()
    seed()
    with FakeAuthApi() as api:
        def client(name):
            role, clinic = PEOPLE[name]
            return api.client(role=role, clinic=clinic, name=name)
        client.api = api
        yield client


@pytest.mark.parametrize("name", PEOPLE)
def test_each_role_may_do_exactly_what_the_table_says(lumen, name):
    client = lumen(name)
    text = {"text": "something"}
    assert MATRIX[name] == (
        client.get("/api/worklist/").status_code,
        client.get(f"/api/reports/{SCHEDULED}/").status_code,
        client.post(f"/api/reports/{SCHEDULED}/findings/", text, format="json").status_code,
        client.post(f"/api/reports/{PERFORMED}/signature/", text, format="json").status_code,
        client.get("/api/overview/").status_code)


@pytest.mark.parametrize("path", ["session/", "worklist/", f"reports/{SCHEDULED}/", "overview/"])
def test_without_a_token_every_path_gives_401_and_in_an_outage_503(lumen, path):
    from rest_framework.test import APIClient

    assert APIClient().get(f"/api/{path}").status_code == 401
    client = lumen("admin")
    with lumen.api.outage():
        assert client.get(f"/api/{path}").status_code == 503
    assert client.get(f"/api/{path}").status_code == 200


def test_a_worklist_contains_only_what_its_reader_may_know(lumen):
    rows = {name: lumen(name).get("/api/worklist/").json()["rows"] for name in PEOPLE if name != "nurse"}
    assert {row["clinic"] for row in rows["other rvt"]} == {"South"} and {row["clinic"] for row in rows["admin"]} == {"North", "South"}
    assert {row["state"] for row in rows["doctor"]} == {"performed", "signed"}
    for row in rows["receptionist"]:
        assert set(row) == {"number", "clinic", "scheduled_at", "patient", "born", "opens"} and row["opens"] is False


def test_a_session_names_the_pages_available_to_each_role(lumen):
    pages = {name: lumen(name).get("/api/session/").json()["pages"] for name in PEOPLE}
    assert pages["rvt"] == pages["receptionist"] == ["worklist"]
    assert pages["doctor"] == pages["admin"] == ["worklist", "overview"] and pages["nurse"] == []


def test_a_report_offers_exactly_the_permitted_actions(lumen):
    offers = {name: [lumen(name).get(f"/api/reports/{number}/").json()["may"] for number in (SCHEDULED, PERFORMED, SIGNED)]
              for name in ("rvt", "doctor", "admin")}
    no, write, sign = ({"write_findings": a, "sign": b} for a, b in ((False, False), (True, False), (False, True)))
    assert offers == {"rvt": [write, write, no], "doctor": [no, sign, no], "admin": [no, no, no]}


def test_a_signed_report_cannot_be_changed(lumen):
    for name, step in (("rvt", "findings"), ("doctor", "signature")):
        answer = lumen(name).post(f"/api/reports/{SIGNED}/{step}/", {"text": "otherwise"}, format="json")
        assert answer.status_code == 409
    assert "unchanged" in lumen("doctor").get(f"/api/reports/{SIGNED}/").json()["impression"]


def test_signing_findings_that_have_changed_is_a_conflict(lumen):
    """The findings are changed between reading and signing."""
    from lumen.studies.models import Study
    from lumen.studies.views import SignatureView

    seen = Study.objects.get(pk=PERFORMED)
    Study.objects.filter(pk=PERFORMED).update(findings="corrected")
    assert SignatureView().take(seen, "of the old findings", "Dana") == 0


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": "x" * 4001}, {"text": None}, {"text": ["x"]}, []])
def test_an_invalid_text_is_a_bad_request(lumen, body):
    assert lumen("rvt").post(f"/api/reports/{SCHEDULED}/findings/", body, format="json").status_code == 400
    assert lumen("rvt").get("/api/reports/999999/").status_code == 404

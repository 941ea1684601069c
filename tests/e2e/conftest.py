"""Fixtures of the tests of the whole flow. CLAIMSD_BUILD_DIR names the build, LUMEN_FRONT_END the
built front end (ctest sets both)."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
TESTS = HERE.parent
BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", TESTS.parent / "build" / "dev")).resolve()
FRONT_END = pathlib.Path(os.environ.get("LUMEN_FRONT_END", TESTS.parent / "build" / "web" / "dist")).resolve()
sys.path[1:1] = [str(BUILD / "python"), str(HERE), str(TESTS / "system"), str(TESTS / "support"), str(TESTS / "authapi")]
os.environ["DJANGO_SETTINGS_MODULE"] = "lumen.settings"

"""For every pytest run below tests/: a skip whose reason is not in the table of skips.py is a failure."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent))

from skips import pytest_runtest_makereport  # noqa: E402

__all__ = ["pytest_runtest_makereport"]

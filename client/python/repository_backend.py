"""The build backend of the repository's root (`pip install git+https://...`): setuptools, run in this directory."""

import os

from setuptools import build_meta


def _here():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))


def _in_here(hook):
    def called(*arguments, **more):
        _here()
        return hook(*arguments, **more)

    return called


build_wheel = _in_here(build_meta.build_wheel)
build_sdist = _in_here(build_meta.build_sdist)
build_editable = _in_here(build_meta.build_editable)
get_requires_for_build_wheel = _in_here(build_meta.get_requires_for_build_wheel)
get_requires_for_build_sdist = _in_here(build_meta.get_requires_for_build_sdist)
get_requires_for_build_editable = _in_here(build_meta.get_requires_for_build_editable)
prepare_metadata_for_build_wheel = _in_here(build_meta.prepare_metadata_for_build_wheel)
prepare_metadata_for_build_editable = _in_here(build_meta.prepare_metadata_for_build_editable)

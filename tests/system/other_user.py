"""Runs code as another user of the host, in a forked child."""

import os
import pickle
import traceback

UID = 54321


def call(function, uid=UID, gid=UID):
    """Runs `function()` in a child with that uid and returns its result. Needs root."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read_end)
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            outcome = (True, function())
        except BaseException:
            outcome = (False, traceback.format_exc())
        with os.fdopen(write_end, "wb") as out:
            pickle.dump(outcome, out)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as results:
        fine, value = pickle.load(results)
    os.waitpid(child, 0)
    assert fine, value
    return value

"""gunicorn as a library: threads, HTTP/1.1 keep-alive, a clean and prompt stop."""

import selectors

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

THREADS = 16
# Seconds. Longer than any client's pool keeps a connection, so that the client closes first.
KEEP_ALIVE = 120


class PromptThreadWorker(ThreadWorker):
    """A ThreadWorker whose loop is woken by a signal instead of stopping up to a second later."""

    def run(self):
        self.poller.register(self.PIPE[0], selectors.EVENT_READ, lambda _: None)
        super().run()


class Server(BaseApplication):
    """Serves `application` on `binds`; calls `on_ready(port)` once connections are answered.

    run() does not return. The application is loaded before the fork, so a started worker can answer
    immediately.
    """

    def __init__(self, application, binds, workers, data_dir, on_ready):
        self._application = application
        self._binds = binds
        self._workers = workers
        self._data_dir = data_dir
        self._on_ready = on_ready
        super().__init__()

    def load_config(self):
        options = {
            "bind": self._binds,
            "workers": self._workers,
            "threads": THREADS,
            "worker_class": f"{__name__}.{PromptThreadWorker.__name__}",
            "keepalive": KEEP_ALIVE,
            "preload_app": True,
            "graceful_timeout": 1,
            "worker_tmp_dir": self._data_dir,
            "loglevel": "error",
            "proc_name": "authapi",
            "when_ready": lambda arbiter: self._on_ready(tcp_port(arbiter)),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self):
        return self._application


def tcp_port(arbiter):
    """The port of the first listener that has one (a Unix listener has a path)."""
    for listener in arbiter.LISTENERS:
        name = listener.sock.getsockname()
        if isinstance(name, tuple):
            return name[1]
    raise RuntimeError("no TCP listener: give --port")

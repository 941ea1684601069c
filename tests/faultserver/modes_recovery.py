"""Modes that depend on when a connection was made: before POST /_deploy it leads to the old instance,
afterwards to the new one, which answers as echo. Without POST /_deploy all connections are new.
"""

from mode import VALID, Mode
from modes_controlled import echo
from plumbing import response


async def hang(exchange):
    await exchange.hang()


def old_silent(exchange):
    """A pool whose connections fell silent: a firewall forgot them, or the host behind them froze."""
    if exchange.state.is_old(exchange.connection):
        return hang(exchange)
    return echo(exchange)


def old_status(exchange):
    if exchange.state.is_old(exchange.connection):
        exchange.send(response(exchange.params[0], b"{}"))
    else:
        echo(exchange)


def old_closes(exchange):
    """A server that closes idle connections just when they are used again."""
    if exchange.state.is_old(exchange.connection):
        exchange.close()
    else:
        echo(exchange)


MODES = [
    Mode("old-silent", "connections made before POST /_deploy never answer again", VALID, old_silent),
    Mode("old-N", "connections made before POST /_deploy answer with status N", VALID, old_status, "old-503"),
    Mode("old-closes", "connections made before POST /_deploy close when they are used", VALID, old_closes),
]

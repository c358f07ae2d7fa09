"""
Ask the admin port whether the service makes progress; exit 1 if it does not.

Without arguments the usual ports are asked, the ingress's, the worker's and the api's:
one of them is the service in this container. Arguments are the ports to ask instead.
"""

# ruff: noqa: INP001 -- a script, in no package
import http.client
import sys
from collections.abc import Sequence

_USUAL_PORTS = (9090, 9091, 9092)
#: a service whose ``host`` is of one family listens there only
_HOSTS = ("127.0.0.1", "::1")
_TIMEOUT_S = 1.0
_OK = 200


def healthy(ports: Sequence[int]) -> bool:
    """Return whether a service answers on one of *ports* that it is well."""
    return any(map(_well, ports))


def _well(port: int) -> bool:
    return any(_answers(host, port) for host in _HOSTS)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not healthy([int(port) for port in sys.argv[1:]] or _USUAL_PORTS))

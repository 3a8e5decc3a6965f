"""Connections whose answers have limits, and that tell a TLS handshake that failed, before the request, from a TLS
error after it may have left.

Their words do not: a server that answers an encrypted request in plain text is "wrong version number" in
both cases.
"""

import ssl
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_match_hostname import CertificateError

from laaffic_console.laaffic.answer_limits import LimitedResponse


class HandshakeFailed(ssl.SSLError):
    """No byte of the request has left."""


class _PlainConnection(HTTPConnection):
    response_class = LimitedResponse


class _Connection(HTTPSConnection):
    response_class = LimitedResponse

    def connect(self) -> None:
        try:
            super().connect()
        except (ssl.SSLError, CertificateError) as problem:
            raise HandshakeFailed(*problem.args) from problem


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _Pool}

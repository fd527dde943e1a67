"""Exchanges: a request with its credentials, followed through redirects to an answer.

Credentials belong to an origin. They stand in a URL, or in netrc for its host; a redirect to
another origin goes there without them.
"""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin

from basestore.transport.connections import Connections
from basestore.transport.errors import BadUrlError, RedirectError
from basestore.transport.message import Request, Response
from basestore.transport.url import Credentials, origin, take_credentials

_SECRET_HEADERS = ("authorization", "cookie")
_FOLLOWED = {"GET": (301, 302, 303, 307, 308), "HEAD": (301, 302, 303, 307, 308)}
_FOLLOWED_WITH_BODY = (307, 308)

FindCredentials = Callable[[str], Credentials | None]
"""The credentials for a host without port."""


def exchange(connections: Connections, request: Request, find: FindCredentials) -> Response:
    """Send a request and follow its redirects. No status is an error.

    Raises RedirectError, BadUrlError and the errors of ``Connections.send``.
    """
    request = _bare(request)
    for _ in range(request.redirects + 1):
        response = connections.send(_authorised(request, find))
        location = response.headers.get("location")
        followed = _FOLLOWED.get(request.method, _FOLLOWED_WITH_BODY)
        if location is None or response.status not in followed:
            return response
        response.drain()
        request = _redirected(request, location)
    raise RedirectError(request.url, f"more than {request.redirects} times")


def _bare(request: Request) -> Request:
    """The request with the credentials of its URL moved to where they belong."""
    url = _checked(request.url)
    bare, credentials = take_credentials(url)
    if credentials is None:
        return replace(request, url=bare)
    return replace(
        request, url=bare, headers={**request.headers, "Authorization": credentials.basic}
    )


def _authorised(request: Request, find: FindCredentials) -> Request:
    if any(name.lower() == "authorization" for name in request.headers):
        return request
    credentials = find(origin(request.url).host)
    if credentials is None:
        return request
    return replace(request, headers={**request.headers, "Authorization": credentials.basic})


def _redirected(request: Request, location: str) -> Request:
    try:
        target, _ = take_credentials(_checked(urljoin(request.url, location)))
    except (BadUrlError, ValueError):
        raise RedirectError(request.url, "to something that is no web address") from None
    here, there = origin(request.url), origin(target)
    if here.scheme == "https" and there.scheme != "https":
        raise RedirectError(request.url, f"from https to plain http on {there.host}")
    if here == there:
        return replace(request, url=target)
    kept = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in _SECRET_HEADERS
    }
    return replace(request, url=target, headers=kept)


def _checked(url: str) -> str:
    try:
        target = origin(url)
    except ValueError as error:
        raise BadUrlError(url, "its host or port is malformed") from error
    if target.scheme not in ("http", "https"):
        raise BadUrlError(url, "its scheme is neither http nor https")
    if not target.host:
        raise BadUrlError(url, "it names no host")
    return url

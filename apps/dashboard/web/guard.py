"""What stands before every page: a log-in, a role for what changes something, and a plain page for what a service refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.access.contracts import Role
from apps.core.errors import Conflict, NotFound, TradingError
from apps.dashboard.web import errors

View = Callable[..., HttpResponseBase]


class Person(Protocol):
    """What pages ask of who is logged in."""

    username: str
    role: str

    def has_role(self, role: Role) -> bool: ...


def page(view: View) -> View:
    """A page for people who are logged in; a TradingError becomes the page for it."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            return errors.not_found(request, error)
        except Conflict as error:
            return errors.conflict(request, error)
        except TradingError as error:
            return errors.bad_request(request, error)

    return cast("View", never_cache(login_required(guarded)))


def action(role: Role) -> Callable[[View], View]:
    """A POST of somebody with `role`; what a service refuses is shown on the page that it came from."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require(request, role)
            try:
                return view(request, *args, **kwargs)
            except TradingError as error:
                messages.error(request, str(error))
                return back(request)

        return cast("View", never_cache(login_required(require_POST(guarded))))

    return decorate


def require(request: HttpRequest, role: Role) -> None:
    """Raises PermissionDenied, naming the role that is missing."""
    if not person(request).has_role(role):
        raise PermissionDenied(f"This needs the role {role}; yours is {person(request).role}.")


def person(request: HttpRequest) -> Person:
    """Who is logged in."""
    return cast("Person", request.user)


def back(request: HttpRequest) -> HttpResponse:
    """To the page that the form was on, if it is ours."""
    came_from = request.META.get("HTTP_REFERER", "")
    is_ours = url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(came_from if is_ours else "/")

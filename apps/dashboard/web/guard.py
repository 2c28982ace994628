"""What stands before every page: a log-in, a role for what changes something, and a plain page for what a service refuses."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, cast
from urllib.parse import urlsplit, urlunsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from apps.access.contracts import Role
from apps.core.errors import Conflict, InvalidInput, NotFound, TradingError
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
            refuse_unstorable(request)
            return view(request, *args, **kwargs)
        except NotFound as error:
            return errors.not_found(request, error)
        except Conflict as error:
            return errors.conflict(request, error)
        except TradingError as error:
            return errors.bad_request(request, error)

    return cast("View", never_cache(login_required(guarded)))


def action(role: Role) -> Callable[[View], View]:
    """A POST of somebody with `role`; what a service refuses is shown on the page that it came from.

    Nothing is done for a form that comes after the log-in has ended, nor for an address that is merely opened; both say so.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                messages.warning(request, "Nothing was done: a command is sent with its button, not by opening its address.")
                return redirect("/")
            if not request.user.is_authenticated:
                messages.warning(request, "Nothing was done: your log-in had ended. Log in and send the form again.")
                return redirect_to_login(came_from(request))
            require(request, role)
            try:
                refuse_unstorable(request)
                return view(request, *args, **kwargs)
            except TradingError as error:
                messages.error(request, str(error))
                return back(request)

        return cast("View", never_cache(guarded))

    return decorate


def require(request: HttpRequest, role: Role) -> None:
    """Raises PermissionDenied, naming the role that is missing."""
    if not person(request).has_role(role):
        raise PermissionDenied(f"This needs the role {role}; yours is {person(request).role}.")


def person(request: HttpRequest) -> Person:
    """Who is logged in."""
    return cast("Person", request.user)


def refuse_unstorable(request: HttpRequest) -> None:
    """Raises InvalidInput for the one character that no text in the database can hold."""
    values = (value for given in (request.GET, request.POST) for _, some in given.lists() for value in some)
    if "\0" in request.path or any("\0" in str(value) for value in values):
        raise InvalidInput("The address or the form has a NUL character in it; no text may have one.")


def came_from(request: HttpRequest) -> str:
    """The path of the page that the form was on; the overview if that is not a page of ours."""
    address = str(request.META.get("HTTP_REFERER", ""))
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(address)
    return urlunsplit(("", "", parts.path or "/", parts.query, ""))


def back(request: HttpRequest) -> HttpResponse:
    """To the page that the form was on, if it is ours."""
    return redirect(came_from(request))

"""Log-in by password or by one-time link, and log-out."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from apps.access.contracts import LogInLocked
from apps.access.models import User
from apps.access.services import authenticate_with_lockout, redeem_login_link

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The form. Says when a name is locked and for how long, never whether a name exists."""
    target = _target(request)
    if request.method == "GET":
        if request.user.is_authenticated:
            return redirect(target)
        return render(request, "access/login.html", {"next": target})
    username = request.POST.get("username", "")
    try:
        user = authenticate_with_lockout(
            username=username, password=request.POST.get("password", ""), remote_addr=request.META.get("REMOTE_ADDR", ""), request=request
        )
    except LogInLocked as error:
        answer = _refused(request, username, target, problem=error.message, hint=error.hint, status=429)
        answer["Retry-After"] = str(error.retry_after)
        return answer
    if user is None:
        return _refused(
            request,
            username,
            target,
            problem="That user name and password do not fit.",
            hint="Five failures lock the name for five minutes.",
        )
    return _enter(request, user, target)


@never_cache
@require_http_methods(["GET"])
def log_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link, opened on the machine that made it."""
    user = redeem_login_link(token, request.META.get("REMOTE_ADDR", ""))
    if user is None:
        return _refused(
            request,
            "",
            "/",
            problem="This link does not log in.",
            hint="It works once, for fifteen minutes, on the machine itself. Log in with the password, or make a new link on the console.",
        )
    return _enter(request, user, "/")


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the browser session."""
    logout(request)
    messages.success(request, "You are logged out. Trading goes on.")
    return redirect("login")


def _enter(request: HttpRequest, user: User, target: str) -> HttpResponse:
    login(request, user, backend=MODEL_BACKEND)
    return redirect(target)


def _refused(request: HttpRequest, username: str, target: str, *, problem: str, hint: str, status: int = 403) -> HttpResponse:
    context = {"problem": problem, "hint": hint, "next": target, "username": username, "is_locked": status == 429}
    return render(request, "access/login.html", context, status=status)


def _target(request: HttpRequest) -> str:
    """Where to go afterwards: only an address of this site."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else "/"

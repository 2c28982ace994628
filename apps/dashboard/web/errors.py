"""Pages for what went wrong: what happened, whether money is at risk, what to do. Never a trace, never a query."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

_SAFE = "No. Trading does not depend on this page; orders, halts and protection go on as they were."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        400,
        "This request cannot be read",
        _reason(exception, "Something in the address or the form is not what the page expects."),
        "Go back and try again with another value.",
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        403,
        "Not allowed",
        _reason(exception, "Your role does not allow this."),
        "Ask somebody with the role for it, or log in as another user.",
    )


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(
        request,
        403,
        "The form was too old",
        "The form did not carry the token of your session, so nothing was done.",
        "Go back, reload the page and send it again.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        404,
        "There is nothing here",
        _reason(exception, "The address does not belong to any page or record."),
        "Check the address, or start from the overview.",
    )


def conflict(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request,
        409,
        "Not possible now",
        _reason(exception, "The state of the thing does not allow this now."),
        "Look at its present state and try again.",
    )


def failed(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        500,
        "The page failed",
        "The server could not make this page. The failure is in the log.",
        "Reload it. If it stays, look at the system page and the log of the web process.",
    )


def _reason(exception: Exception, otherwise: str) -> str:
    """A sentence that was raised for people; Django's own texts name internals and are not shown."""
    text = getattr(exception, "message", "") or (exception.args[0] if exception.args and isinstance(exception.args[0], str) else "")
    return text if text and text.endswith(".") else otherwise


def _page(request: HttpRequest, status: int, title: str, what: str, action: str) -> HttpResponse:
    return render(request, "error.html", {"status": status, "title": title, "what": what, "money": _SAFE, "action": action}, status=status)

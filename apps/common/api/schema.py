"""OpenAPI: every operation says which problems it can answer with."""

from __future__ import annotations

from functools import cache
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from apps.common.api.problems import MEDIA_TYPE, ProblemSerializer

PAGE = "Page"
_ALWAYS = {"400", "401", "405", "406", "429", "500", "503"}
_DESCRIPTIONS = {
    "400": "The request is not acceptable; `errors` names each field.",
    "401": "No valid log-in.",
    "403": "The role of the user does not allow this.",
    "404": "There is no such thing.",
    "405": "The address knows other methods.",
    "406": "Only JSON is spoken here.",
    "409": "The state does not allow this now.",
    "413": "The body is too large.",
    "415": "The body must be JSON.",
    "422": "A rule of the system says no.",
    "429": "Too many requests; see Retry-After.",
    "500": "Something went wrong here.",
    "503": "Something that is needed does not answer now.",
}


class ProblemAutoSchema(AutoSchema):
    """Names operations, and adds the problems that any operation of its kind can answer with; an operation's own responses win."""

    def get_operation_id(self) -> str:
        """A page is a list, whatever the generator thinks of objects with pages in them."""
        operation_id: str = super().get_operation_id()
        answers: Any = self.get_response_serializers()
        is_page = isinstance(answers, dict) and type(answers.get(200)).__name__.endswith(PAGE)
        return f"{operation_id.removesuffix('_retrieve')}_list" if is_page else operation_id

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in sorted(self._problem_statuses() - set(bodies)):
            bodies[status] = self._get_response_for_code(ProblemSerializer, status, [MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
            bodies[status]["description"] = _DESCRIPTIONS[status]
        return dict(sorted(bodies.items()))

    def _problem_statuses(self) -> set[str]:
        statuses = set(_ALWAYS)
        if self.get_auth():
            statuses.add("403")
        if "{" in self.path or self.method == "GET":
            statuses.add("404")
        if self.method != "GET":
            statuses |= {"404", "409", "413", "415", "422"}
        return statuses


@cache
def page_schema(item: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """The schema of a page of `item`."""
    name = item.__name__.removesuffix("Serializer")
    return inline_serializer(
        name=f"{name}{PAGE}",
        fields={
            "next": serializers.URLField(allow_null=True, help_text="Address of the next page."),
            "next_cursor": serializers.CharField(allow_null=True),
            "results": item(many=True),
        },
    )

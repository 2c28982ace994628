"""Log-in for programs: JSON web tokens."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response

from apps.access import services
from apps.access.web.serializers import CredentialsInput, MeSerializer, RefreshInput, TokenPairSerializer
from apps.common.api.views import ApiView

TAGS = ["auth"]


class PublicView(ApiView):
    """A view that needs no log-in, because it is how one logs in."""

    authentication_classes = []
    permission_classes = []

    def get_authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class TokenView(PublicView):
    @extend_schema(tags=TAGS, request=CredentialsInput, responses={200: TokenPairSerializer})
    def post(self, request: Request) -> Response:
        """Log in: an access and a refresh token. Five failures lock the name from this address for five minutes."""
        values = self.body(CredentialsInput)
        user = services.authenticate_with_lockout(**values, remote_addr=request.META.get("REMOTE_ADDR", ""), method="token")
        if user is None:
            raise AuthenticationFailed("The user name or the password is wrong.")
        return self.answer(TokenPairSerializer, services.issue_tokens(user))


class RefreshView(PublicView):
    @extend_schema(tags=TAGS, request=RefreshInput, responses={200: TokenPairSerializer})
    def post(self, request: Request) -> Response:
        """The next pair of tokens; the refresh token sent is used up."""
        return self.answer(TokenPairSerializer, services.rotate_tokens(self.body(RefreshInput)["refresh"]))


class LogoutView(PublicView):
    @extend_schema(tags=TAGS, request=RefreshInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Log out: the refresh token cannot be used again."""
        services.revoke_tokens(self.body(RefreshInput)["refresh"])
        return Response(status=204)


class MeView(ApiView):
    @extend_schema(tags=TAGS, responses={200: MeSerializer})
    def get(self, request: Request) -> Response:
        """Who is logged in."""
        return self.answer(MeSerializer, request.user)

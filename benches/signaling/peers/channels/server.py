"""The same signaling with Django Channels, in the shape that its tutorial teaches: a consumer, a group a room, the layer in memory.

daphne loads `application`; BENCH_FOLDER holds its database.
"""
import os
import uuid
from datetime import timedelta

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "channels"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(os.environ["BENCH_FOLDER"], "channels.db")}},
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 100_000}}},
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402
from django.utils import timezone  # noqa: E402

# The load generator's cookie.
LOGIN = "b" * 32


class CallConsumer(AsyncJsonWebsocketConsumer):
    """One socket of one room."""

    rooms: dict[str, set[str]] = {}

    async def connect(self):
        self.me = uuid.uuid4().hex
        self.room = "call_" + self.scope["url_route"]["kwargs"]["room"]
        await self.channel_layer.group_add(self.room, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.room, self.channel_name)
        self.rooms.get(self.room, set()).discard(self.me)
        await self.tell({"type": "peer_left", "participant_id": self.me, "reason": "left"})

    async def receive_json(self, content):
        kind = content.get("type")
        if kind == "hello":
            await self.send_json({"type": "welcome", "version": 2})
        elif kind == "join":
            there = self.rooms.setdefault(self.room, set())
            peers = [{"participant_id": peer, "epoch": 1} for peer in there]
            there.add(self.me)
            you = {"participant_id": self.me}
            await self.send_json({"type": "joined", "resumed": False, "resume": "", "you": you, "peers": peers})
            await self.tell({"type": "peer_joined", "peer": {"participant_id": self.me, "epoch": 1}})
        elif kind == "offer":
            await self.tell({"type": "offer", "from": self.me, "epoch": content["epoch"], "sdp": content["sdp"]}, content["to"])
        else:
            await self.send_json({"type": "error", "code": "malformed"})

    async def tell(self, message, to=None):
        event = {"type": "relay", "sender": self.channel_name, "to": to, "message": message}
        await self.channel_layer.group_send(self.room, event)

    async def relay(self, event):
        if event["sender"] != self.channel_name and event["to"] in (None, self.me):
            await self.send_json(event["message"])


def me(request):
    """Who is signed in, as `GET /api/auth/me/` of visavis says it."""
    user = request.user
    if not user.is_authenticated:
        return JsonResponse({"code": "unauthenticated"}, status=401)
    return JsonResponse({"user": {"id": user.pk, "username": user.username, "display_name": user.first_name, "role": "mentor"}})


def furnish():
    """One account, signed in."""
    call_command("migrate", verbosity=0)
    user, _ = get_user_model().objects.get_or_create(username="mentor", defaults={"first_name": "Mentor"})
    backend = "django.contrib.auth.backends.ModelBackend"
    login = {SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: user.get_session_auth_hash()}
    expires = timezone.now() + timedelta(days=1)
    row = {"session_data": SessionStore().encode(login), "expire_date": expires}
    Session.objects.update_or_create(session_key=LOGIN, defaults=row)


urlpatterns = [path("api/auth/me/", me)]
furnish()
sockets = URLRouter([re_path(r"^ws/video-call/(?P<room>\w+)/$", CallConsumer.as_asgi())])
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": sockets})

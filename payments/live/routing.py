"""WebSocket routes."""

from django.urls import path

from payments.live.consumers import RequestConsumer

websocket_urlpatterns = [path("ws/p/<slug:token>/", RequestConsumer.as_asgi())]

"""Parc Fermé: live race timing over MQTT, an append-only event log and WebSocket screens."""

__version__ = "0.1.0"

"""The users' rights in each broker's own words: NATS's ``authorization``, Mosquitto's password file and access list."""

import json
from collections.abc import Sequence

from timing.services.broker_users import BrokerUser

MOSQUITTO_CONF = """\
# For Mosquitto, beside what config/mosquitto.conf says: nobody without a name, and each on their own topics only.
# With TLS: listener 8883, certfile, keyfile.
per_listener_settings false
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/rights
"""


def nats_authorization(users: Sequence[BrokerUser]) -> str:
    """Write the ``authorization`` of a NATS server's configuration."""
    lines = [f"  {_nats_user(user)}" for user in users]
    return "\n".join(["authorization { users = [", *lines, "] }"]) + "\n"


def mosquitto_passwords(users: Sequence[BrokerUser]) -> str:
    """Write the file that ``password_file`` names."""
    return "".join(f"{user.name}:{user.pbkdf2}\n" for user in users)


def mosquitto_rights(users: Sequence[BrokerUser]) -> str:
    """Write the file that ``acl_file`` names: what is not granted is refused."""
    parts = [
        "\n".join(
            [
                f"user {user.name}",
                *(f"topic write {topic}" for topic in user.may_publish()),
                *(f"topic read {topic}" for topic in user.may_read()),
            ]
        )
        for user in users
    ]
    return "# Made by `timing broker config`; made anew, it replaces this.\n\n" + "\n\n".join(parts) + "\n"


def _nats_user(user: BrokerUser) -> str:
    permissions = {
        "publish": {"allow": [subject for topic in user.may_publish() for subject in nats_subjects(topic)]},
        # NATS hands out QoS 1 messages over subjects of its own; an MQTT client cannot subscribe to these itself.
        "subscribe": {"allow": [*(subject for topic in user.may_read() for subject in nats_subjects(topic)), "$MQTT.sub.>"]},
    }
    return json.dumps({"user": user.name, "password": user.bcrypt, "permissions": permissions})


def nats_subjects(topic: str) -> list[str]:
    """Give an MQTT filter as NATS subjects: ``#`` stands for the level above it too, and there ``>`` does not."""
    levels = [{"+": "*", "#": ">"}.get(level, level.replace(".", "//")) for level in topic.split("/")]
    return [*([".".join(levels[:-1])] if levels[-1] == ">" else []), ".".join(levels)]

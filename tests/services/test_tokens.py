"""Tokens: what is issued is taken, what was altered, forged, used, revoked or is over is not, and nothing of it is ever repeated."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest

from timing.domain.errors import ConfigurationError, TimingError
from timing.domain.roles import Rights
from timing.services.access_folder import AccessFolder, Issued
from timing.services.tokens import LONGEST, NotSignedIn, Tokens

NOW = 1_747_401_000
RIGHTS = Rights(roles=("race-director",), sessions=("albi-*",))


class Watch:
    """A clock that a test sets, in seconds."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now * 1_000_000


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def folder(tmp_path: Path) -> AccessFolder:
    return AccessFolder(tmp_path / "access")


@pytest.fixture
def tokens(folder: AccessFolder, watch: Watch) -> Tokens:
    return Tokens(folder, watch)


def code_of(call: Any, *arguments: Any) -> str:
    with pytest.raises(NotSignedIn) as found:
        call(*arguments)
    assert not any(str(argument)[:20] in str(found.value) for argument in arguments if len(str(argument)) > 20), "no secret in a reason"
    return found.value.code


def test_who_signs_in_is_known_until_the_time_is_over(tokens: Tokens, watch: Watch) -> None:
    token, issued = tokens.issue("Anna Roy", RIGHTS, 3600)
    passed, person = tokens.sign_in(token)
    assert (person.name, person.rights, person.token, person.until) == ("Anna Roy", RIGHTS, issued.id, NOW + 3600)
    assert tokens.read("pass", passed) == person
    assert person.acting_as("race-director").token == issued.id
    watch.now += 3599
    assert tokens.holds(person)
    watch.now += 1
    assert not tokens.holds(person)
    assert code_of(tokens.read, "pass", passed) == "expired"
    assert code_of(tokens.sign_in, token) == "expired"


def test_a_token_signs_in_once_unless_it_is_reusable(tokens: Tokens, folder: AccessFolder, watch: Watch) -> None:
    token, _ = tokens.issue("Anna", RIGHTS, 3600)
    tokens.sign_in(token)
    assert code_of(tokens.sign_in, token) == "used-token"
    assert code_of(Tokens(folder, watch).sign_in, token) == "used-token", "also after a restart"
    reusable, _ = tokens.issue("Desk", RIGHTS, 3600, once=False)
    (first, _), (second, _) = tokens.sign_in(reusable), tokens.sign_in(reusable)
    assert first != second


def test_a_pass_is_no_token_and_a_token_is_no_pass(tokens: Tokens) -> None:
    token, _ = tokens.issue("Anna", RIGHTS, 3600, once=False)
    passed, _ = tokens.sign_in(token)
    assert code_of(tokens.sign_in, passed) == "bad-token"
    assert code_of(tokens.read, "pass", token) == "bad-token"


def test_what_another_process_revokes_is_void_at_once(tokens: Tokens, folder: AccessFolder, watch: Watch) -> None:
    token, issued = tokens.issue("Anna", RIGHTS, 3600, once=False)
    (one, person), (other, _) = tokens.sign_in(token), tokens.sign_in(token)
    Tokens(AccessFolder(folder.path), watch).revoke(person.id)
    assert code_of(tokens.read, "pass", one) == "revoked"
    assert tokens.read("pass", other).token == issued.id, "another sign-in by the same token goes on"
    Tokens(AccessFolder(folder.path), watch).revoke(issued.id)
    assert code_of(tokens.read, "pass", other) == "revoked"
    assert code_of(tokens.sign_in, token) == "revoked"


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    parts = [json.dumps({"alg": algorithm, "typ": "JWT"}).encode(), json.dumps(claims).encode()]
    return b".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts), b""]).decode()


def forgeries(token: str, secret: bytes) -> dict[str, str]:
    claims = claims_of(token)
    more = {**claims, "rights": {"roles": ["administrator"], "sessions": ["*"], "channels": None}}
    head, body, signature = token.split(".")
    altered = base64.urlsafe_b64encode(json.dumps(more).encode()).rstrip(b"=").decode()
    return {
        "no algorithm": unsigned(claims, "none"),
        "No algorithm": unsigned(claims, "None"),
        "another secret": jwt.encode(claims, bytes(32), "HS256"),
        "another algorithm": jwt.encode(claims, secret * 2, "HS512"),
        "the same secret, another algorithm": jwt.encode(claims, secret + bytes(32), "HS384"),
        "altered rights": f"{head}.{altered}.{signature}",
        "signature cut off": f"{head}.{body}.",
        "another audience": jwt.encode({**claims, "aud": "somebody else"}, secret, "HS256"),
        "no audience": jwt.encode({k: v for k, v in claims.items() if k != "aud"}, secret, "HS256"),
        "another issuer": jwt.encode({**claims, "iss": "somebody else"}, secret, "HS256"),
        "no end": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, secret, "HS256"),
        "no name": jwt.encode({k: v for k, v in claims.items() if k != "jti"}, secret, "HS256"),
        "unknown role": jwt.encode({**claims, "rights": {"roles": ["king"]}}, secret, "HS256"),
        "no rights": jwt.encode({k: v for k, v in claims.items() if k != "rights"}, secret, "HS256"),
        "not a token": "hello",
        "nothing": "",
        "strange letters": "é.é.é",
        "too long": "a" * (LONGEST + 1),
    }


KINDS = list(forgeries(jwt.encode({}, bytes(32), "HS256"), bytes(32)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_token_is_nobodys(tokens: Tokens, folder: AccessFolder, kind: str) -> None:
    token, issued = tokens.issue("Anna", RIGHTS, 3600, once=False)
    assert tokens.read("token", jwt.encode(claims_of(token), folder.secret, "HS256")).id == issued.id, "the forger's tools make good ones"
    forged = forgeries(token, folder.secret)[kind]
    assert code_of(tokens.read, "token", forged) == "bad-token"
    assert code_of(tokens.sign_in, forged) == "bad-token"


def test_the_folder_is_its_owners_alone(folder: AccessFolder) -> None:
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert (folder.path / "secret").stat().st_mode & 0o777 == 0o600
    Tokens(folder).issue("Anna", RIGHTS, 60)
    assert (folder.path / "tokens.jsonl").stat().st_mode & 0o777 == 0o600
    assert AccessFolder(folder.path).secret == folder.secret, "the secret stays"


def test_a_secret_that_everyone_can_read_is_refused(folder: AccessFolder) -> None:
    (folder.path / "secret").chmod(0o644)
    with pytest.raises(ConfigurationError, match="everyone on this machine"):
        AccessFolder(folder.path)


def test_a_secret_that_is_too_short_is_refused(folder: AccessFolder) -> None:
    (folder.path / "secret").write_bytes(b"secret")
    with pytest.raises(ConfigurationError, match="32 are needed"):
        AccessFolder(folder.path)


def test_another_secret_voids_every_token(tokens: Tokens, folder: AccessFolder, watch: Watch) -> None:
    token, _ = tokens.issue("Anna", RIGHTS, 3600, once=False)
    (folder.path / "secret").unlink()
    assert code_of(Tokens(AccessFolder(folder.path), watch).sign_in, token) == "bad-token"


def test_the_token_itself_is_kept_nowhere(tokens: Tokens, folder: AccessFolder) -> None:
    token, issued = tokens.issue("Anna", RIGHTS, 3600)
    passed, _ = tokens.sign_in(token)
    kept = (folder.path / "tokens.jsonl").read_text()
    assert issued.id in kept
    assert not any(part in kept for secret in (token, passed) for part in secret.split(".")[1:])


def test_an_entry_cut_off_by_a_crash_is_none_and_the_next_is_whole(tokens: Tokens, folder: AccessFolder) -> None:
    tokens.issue("Anna", RIGHTS, 3600)
    with (folder.path / "tokens.jsonl").open("ab") as file:
        file.write(b'{"what":"iss')
    assert len(folder.entries()) == 1
    tokens.issue("Ben", RIGHTS, 3600)
    assert [entry.name for entry in folder.entries() if isinstance(entry, Issued)] == ["Anna", "Ben"]


def test_entries_that_cannot_be_read_let_nobody_in(tokens: Tokens, folder: AccessFolder) -> None:
    token, _ = tokens.issue("Anna", RIGHTS, 3600)
    with (folder.path / "tokens.jsonl").open("ab") as file:
        file.write(b"hello\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        tokens.sign_in(token)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TimingError, match="the access folder"):
        AccessFolder(tmp_path / "file" / "access")


def test_two_processes_that_sign_in_with_one_token_are_one_sign_in(tokens: Tokens, folder: AccessFolder, watch: Watch) -> None:
    token, _ = tokens.issue("Anna", RIGHTS, 3600)
    program = f"""
import sys
from pathlib import Path
from timing.services.access_folder import AccessFolder
from timing.services.tokens import NotSignedIn, Tokens
tokens = Tokens(AccessFolder(Path({str(folder.path)!r})), lambda: {watch()})
token = sys.stdin.readline().strip()
try:
    tokens.sign_in(token)
except NotSignedIn as fault:
    print(fault.code)
else:
    print("in")
"""
    children = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        for _ in range(3)
    ]
    said = sorted(child.communicate(token + "\n")[0].strip() for child in children)
    assert said == ["in", "used-token", "used-token"]

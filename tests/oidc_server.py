"""A provider of OpenID Connect on this machine: checks its client as one does, and forges what a test says."""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT, SECRET = "back-pain", "an invented client secret"


def segment(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@dataclass
class OidcServer:
    """What it does wrong stands in `forge` (claims of the token), `how` (its signature) and `about` (its discovery)."""

    port: int = 0
    subject: str = "subject-of-nora"
    forge: dict[str, Any] = field(default_factory=dict)
    how: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    raw: dict[str, str] = field(default_factory=dict)
    """What it says at an address, word for word, in the place of what is right."""
    client_key: Any = None
    keys: dict[str, Any] = field(default_factory=lambda: {"one": RSAKey.generate_key(2048, {"kid": "one"})})
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def discovery(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        found = {name: f"{self.issuer}/{path}" for name, path in places.items()}
        return {"issuer": self.issuer, "end_session_endpoint": f"{self.issuer}/leave", **found, **self.about}

    def authorize(self, address: str) -> dict[str, str]:
        """Somebody has signed in at this address; what the browser takes back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert address.startswith(self.discovery()["authorization_endpoint"])
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return {"state": asked["state"], "code": code}

    def token(self, body: dict[str, str], basic: str) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(body.get("code", ""), None)  # a code works once
        if asked is None or not self._is_client(body, basic):
            return 400, {"error": "invalid_grant"}
        challenge = urlsafe_b64encode(hashlib.sha256(body["code_verifier"].encode()).digest()).decode().rstrip("=")
        if challenge != asked["code_challenge"] or body["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
        }
        if "max_age" in asked:
            claims["auth_time"] = now
        claims = {name: value for name, value in (claims | self.forge).items() if value is not None}
        self.issued.append(self.signed(claims))
        return 200, {"access_token": "an access token", "token_type": "Bearer", "id_token": self.issued[-1]}

    def _is_client(self, body: dict[str, str], basic: str) -> bool:
        if self.client_key is not None:
            said = jwt.decode(body["client_assertion"], self.client_key, algorithms=["RS512", "ES256"]).claims
            return bool((said["iss"], said["sub"]) == (CLIENT, CLIENT) and said["aud"] == f"{self.issuer}/token")
        return b64decode(basic.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"

    def signed(self, claims: dict[str, Any]) -> str:
        key = self.keys["one"]
        match self.how:
            case "alg none":
                return f"{segment({'alg': 'none', 'kid': 'one'})}.{segment(claims)}."
            case "the secret as key":
                header = {"alg": "HS256", "kid": "one"}
                return jwt.encode(header, claims, OctKey.import_key(SECRET * 2), algorithms=["HS256"])
            case "the public key as secret":
                header = {"alg": "HS256", "kid": "one"}
                public = OctKey.import_key(key.as_pem(private=False).replace(b"-----", b""))
                return jwt.encode(header, claims, public, algorithms=["HS256"])
            case "an unknown key":
                return jwt.encode({"alg": "RS256", "kid": "two"}, claims, key)
            case "another key":
                return jwt.encode({"alg": "RS256", "kid": "one"}, claims, RSAKey.generate_key(2048))
            case "another kind of key":
                return jwt.encode({"alg": "ES256", "kid": "one"}, claims, ECKey.generate_key("P-256"))
            case "changed afterwards":
                head, _, mark = jwt.encode({"alg": "RS256", "kid": "one"}, claims, key).split(".")
                return f"{head}.{segment(claims | {'sub': 'subject-of-anna'})}.{mark}"
            case "no token":
                return ""
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) for key in self.keys.values()]}


@contextmanager
def serving(server: OidcServer, certificate: str = "") -> Iterator[OidcServer]:
    """The provider behind a port of this machine; over TLS where there is a file with a certificate and its key."""

    class Handler(BaseHTTPRequestHandler):
        def reply(self, found: dict[str, Any], status: int) -> None:
            body = server.raw.get(self.path, json.dumps(found)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            server.asked.append(self.path)
            found = {"/jwks": server.jwks, "/.well-known/openid-configuration": server.discovery}.get(self.path)
            if self.path.startswith("/authorize"):
                back = server.authorize(f"{server.issuer}{self.path}")
                asked = parse_qs(urlsplit(self.path).query)
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri'][0]}?{urlencode(back)}")
                self.end_headers()
                return
            self.reply(found() if found and self.path not in server.raw else {}, server.status if found else 404)

        def do_POST(self) -> None:
            server.asked.append(self.path)
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            body = {name: values[0] for name, values in parse_qs(text).items()}
            status, found = server.token(body, self.headers.get("Authorization", ""))
            self.reply(found, status)

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.port = http.server_port
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    http.shutdown()
    http.server_close()
    thread.join(timeout=10)

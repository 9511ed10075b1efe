"""Speaking with an OpenID Connect provider: the one place from which this program asks another system anything.

Authorisation code with PKCE; the token is checked (signature, issuer, audience, times, nonce) and dropped.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from consult.accounts.single_sign_on import ALGORITHMS, Provider, UnderWay, is_address, meets, subject_hash
from consult.record.store import seconds_counted

WAIT: Final = (3.0, 5.0)
"""Seconds to reach the provider, and for its reply."""
AT_ONCE: Final = threading.BoundedSemaphore(2)
"""A provider that does not answer holds up so many pages at most: half of those that the server makes at once."""
TURN: Final = 0.3
"""Seconds that a page waits for its turn; an answer being saved waits behind it."""
REST: Final = 10.0
"""Seconds for which nobody waits again for a provider that has let somebody wait in vain."""
KNOWN_FOR: Final = timedelta(minutes=10)
LARGEST: Final = 500_000
TIMES: Final = frozenset({"exp", "iat", "nbf", "auth_time"})
END_OF_TIME: Final = 253_402_300_800
"""The end of the year 9999, in the seconds that a token counts by."""
NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class NotReached(Exception):
    """The provider does not answer as one does; the message is for whoever looks after the service."""


class NotProved(Exception):
    """What came back proves nobody; the message says why, without anything of the token."""


class Proof(Struct, frozen=True):
    """Who the provider says came: the hash of their account; whether strongly enough; and whether just now."""

    subject: str
    assured: bool
    fresh: bool


_known: dict[str, tuple[datetime, dict[str, Any]]] = {}
_in_vain: dict[str, float] = {}
"""When each issuer last let somebody wait in vain, by the seconds that this process counts."""


def discovered(provider: Provider, now: datetime, anew: bool = False) -> dict[str, Any]:
    """What the provider says of itself, kept for ten minutes; NotReached if it does not, or if it is another."""
    at, found = _known.get(provider.issuer, (now, {}))
    if found and not anew and timedelta() <= now - at < KNOWN_FOR:
        return found
    with _session(provider) as session:
        found = _get(session, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise NotReached("The provider gives itself another issuer than the one set up; compare them letter by letter.")
    for name in NEEDED:
        if not is_address(str(found.get(name, "")), provider.issuer):
            raise NotReached(f"The provider gives no {name} that may be asked over TLS.")
    _known[provider.issuer] = (now, found)
    return found


def address(provider: Provider, state: str, way: UnderWay, back: str, now: datetime) -> str:
    """Where to send the browser; `way.person` says that somebody here is to prove once more who they are."""
    there = discovered(provider, now)["authorization_endpoint"]
    more = {"acr_values": provider.acr_values} if provider.acr_values else {}
    if way.person:
        more |= {"prompt": "login", "max_age": "0"}
    with _session(provider, back) as session:
        url, _ = session.create_authorization_url(
            there, state=state, nonce=way.nonce, code_verifier=way.verifier, response_type="code", **more
        )
    return str(url)


def prove(provider: Provider, way: UnderWay, code: str, back: str, now: datetime) -> Proof:
    """Exchange the code that came back for a token, check it, and say whose it is; NotReached or NotProved if not."""
    from authlib.integrations.base_client import OAuthError
    from joserfc.errors import JoseError

    if way.issuer != provider.issuer:
        raise NotProved("the provider was changed meanwhile")
    about = discovered(provider, now)
    with _session(provider, back, about["token_endpoint"]) as session:
        try:
            token: Any = session.fetch_token(
                about["token_endpoint"],
                code=code,
                code_verifier=way.verifier,
                grant_type="authorization_code",
                allow_redirects=False,
            )
        except JoseError as error:
            raise NotReached("The private key can't sign as it is set up.") from error
        except OAuthError as error:
            raise NotProved(f"the code was refused ({str(error.error)[:40]})") from error
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise NotReached("The provider answers a code with no JSON object.") from error
        keys = _get(session, about["jwks_uri"])
    try:
        return _checked(provider, way, str(token.get("id_token", "")), keys, now)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise NotProved(f"the token does not hold ({str(error)[:80]})") from error


def _checked(provider: Provider, way: UnderWay, id_token: str, keys: dict[str, Any], now: datetime) -> Proof:
    from authlib.oidc.core.claims import CodeIDToken
    from joserfc import jwt
    from joserfc.jwk import KeySet

    read = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type] # a JSON object
    options: Any = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    params = {"nonce": way.nonce, "client_id": provider.client_id}
    claims = CodeIDToken(read.claims, read.header, options=options, params=params)
    _check_times(claims)
    claims.validate(now=int(now.timestamp()), leeway=provider.leeway)
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise NotProved("the token is for others too")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise NotProved("the token names no account")
    fresh = bool(way.person) and int(claims.get("auth_time", 0)) >= way.begun_at - provider.leeway
    if way.person and not fresh:
        raise NotProved("the provider did not ask anew who it is")
    if not meets(claims, provider.require):
        raise NotProved("the provider does not say that the sign-in was as strong as is asked here")
    return Proof(subject_hash(provider.issuer, subject), bool(provider.require), fresh)


def _check_times(claims: Mapping[str, Any]) -> None:
    """Refuse a token with a time that is none: an endless one, or one that is no number, would never run out."""
    for name in TIMES & claims.keys():
        said = int(claims[name]) if isinstance(claims[name], str) else claims[name]
        if not isinstance(said, int | float) or isinstance(said, bool) or not 0 <= said < END_OF_TIME:
            raise NotProved("a time in the token is none")


def leaving(provider: Provider, now: datetime, back: str) -> str:
    """Where one signs out at the provider too; "" where it has no such place, or can't be asked."""
    from authlib.common.urls import add_params_to_uri

    try:
        there = str(discovered(provider, now).get("end_session_endpoint", ""))
    except NotReached:
        return ""
    if not is_address(there, provider.issuer):
        return ""
    asked = [("client_id", provider.client_id), ("post_logout_redirect_uri", back)]
    return str(add_params_to_uri(there, asked))


@contextmanager
def _session(provider: Provider, back: str = "", token_endpoint: str = "") -> Iterator[Any]:
    """A session of the client with its secret, a few at once; what goes wrong on the way is NotReached."""
    from authlib.integrations.requests_client import OAuth2Session
    from requests import RequestException, Timeout
    from urllib3 import exceptions as on_the_way

    if seconds_counted() - _in_vain.get(provider.issuer, -REST) < REST:
        raise NotReached("The provider did not answer moments ago.")
    kind, _, where = provider.secret.partition(":")
    method = {"": "none", "key": "private_key_jwt"}.get(kind, "client_secret_basic")
    if not AT_ONCE.acquire(timeout=TURN):
        raise NotReached("The provider is slow, and others wait for it already.")
    try:
        with OAuth2Session(
            client_id=provider.client_id,
            client_secret=_secret(provider, kind, where) if token_endpoint else None,
            token_endpoint_auth_method=method,
            scope=provider.scope,
            redirect_uri=back,
            code_challenge_method="S256",
            default_timeout=WAIT,
        ) as session:
            if method == "private_key_jwt" and token_endpoint:
                session.register_client_auth_method(_signing(provider, token_endpoint))
            yield session
    except (RequestException, on_the_way.HTTPError, json.JSONDecodeError) as error:
        if isinstance(error, (Timeout, on_the_way.TimeoutError)):  # the second where a reply begins and never ends
            _in_vain[provider.issuer] = seconds_counted()
        raise NotReached(f"The provider does not answer ({type(error).__name__}).") from error
    finally:
        AT_ONCE.release()


def _signing(provider: Provider, token_endpoint: str) -> Any:
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

    headers = {"kid": provider.key_id} if provider.key_id else {}
    return PrivateKeyJWT(token_endpoint, headers=headers, alg=provider.key_algorithm)


def _secret(provider: Provider, kind: str, where: str) -> Any:
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if not kind:
        return None
    if kind == "env":
        if not (found := os.environ.get(where, "")):
            raise NotReached(f"The secret is to stand in the environment as {where}, and does not.")
        return found
    try:
        text = Path(where).read_text("utf-8").strip()
        return import_key(text, "EC" if provider.key_algorithm.startswith("ES") else "RSA") if kind == "key" else text
    except (OSError, ValueError, JoseError) as error:
        raise NotReached(f"The {'key' if kind == 'key' else 'secret'} can't be read from {where}.") from error


def _get(session: Any, url: str) -> dict[str, Any]:
    """A JSON object from an address of the provider: no redirect is followed, and nothing endless is read."""
    with session.get(url, withhold_token=True, allow_redirects=False, stream=True) as reply:
        if reply.status_code != 200:
            raise NotReached(f"The provider answers {reply.status_code} at {url}.")
        body = reply.raw.read(LARGEST + 1, decode_content=True)
    try:
        found = json.loads(body) if len(body) <= LARGEST else None
    except (ValueError, RecursionError):  # the second where it is nested without end
        found = None
    if not isinstance(found, dict):
        raise NotReached(f"The provider answers with no JSON object at {url}.")
    return found

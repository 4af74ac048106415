"""Limits for sign-in attempts: after failures, a growing wait, counted in the shared cache.

Nobody is locked out permanently. The wait has a maximum, an attempt that comes too early does not add to it,
and a user who signed in from an address before does not wait there because of failures from other addresses
or of other users. While the cache is down, attempts are not limited, and the log shows this.
"""

import hashlib
import ipaddress
import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

FIRST_WAIT = 15  # seconds; each further failure doubles it
FORGOTTEN_AFTER = 60 * 60  # seconds without an attempt
KNOWN_FOR = 30 * 24 * 60 * 60


@dataclass(frozen=True)
class Limit:
    """The number of attempts without a wait, and the longest wait in seconds."""

    free: int
    longest: int


NAME_AND_ADDRESS = Limit(free=5, longest=15 * 60)
ADDRESS = Limit(free=30, longest=15 * 60)  # an office may share one address
NAME = Limit(free=30, longest=60)  # from many addresses: the user has to wait, but is never locked out


def begin(name: str, address: str) -> int:
    """Count an attempt before its password is checked; return 0 or the number of seconds to wait.

    It is counted before the check, so that a hundred simultaneous attempts are not all the first one.
    """
    try:
        counts = _counts(name, address)
        if wait := max(_closed_for(key) for key, _ in counts):
            return wait
        return max(_count(key, limit) for key, limit in counts)
    except RedisError:
        logger.exception("Sign-in attempts are not counted: the cache does not answer.")
        return 0


def first_in(key: str, *, seconds: int) -> bool:
    """Whether this is the first time in that number of seconds; always true while the cache is down."""
    try:
        return cache.add(f"once:{key}", 1, seconds)
    except RedisError:
        logger.exception("Repeated requests are not counted: the cache does not answer.")
        return True


def succeed(name: str, address: str) -> None:
    """Reset what `begin` counted, and remember that this user signed in from this address."""
    try:
        (own, _), *shared = _counts(name, address)
        cache.delete_many([own, _gate(own)])
        for key, _ in shared:
            _raise(key, -1)
            cache.delete(_gate(key))
        cache.set(_known(own), 1, KNOWN_FOR)
    except RedisError:
        logger.exception("A sign-in is not remembered: the cache does not answer.")


def address_of(request) -> str:
    """The client's address, as the proxies in front report it; headers of the client are ignored."""
    if request is None:
        return ""
    nearest = request.META.get("REMOTE_ADDR", "")
    if not settings.LEDGERLINE_PROXIES:
        return nearest
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    try:
        return str(ipaddress.ip_address(hops[-settings.LEDGERLINE_PROXIES].strip()))
    except (IndexError, ValueError):
        return nearest


def _counts(name, address):
    """The counters of an attempt; a known user at a known address has a separate one."""
    name, network = name.casefold(), _network(address)
    own = _key("name-and-address", name, network)
    if cache.get(_known(own)):
        return [(own, NAME_AND_ADDRESS)]
    return [(own, NAME_AND_ADDRESS), (_key("address", network), ADDRESS), (_key("name", name), NAME)]


def _count(key, limit):
    over = _raise(key, 1) - limit.free
    if over < 0:
        return 0
    wait = min(FIRST_WAIT << min(over, 16), limit.longest)
    # Of several simultaneous attempts, only the first may continue; the others have to wait.
    if cache.add(_gate(key), int(time.time()) + wait, wait):
        return 0
    _raise(key, -1)
    return max(_closed_for(key), 1)


def _raise(key, by):
    cache.add(key, 0, FORGOTTEN_AFTER)
    try:
        number = cache.incr(key, by)
    except ValueError:  # it expired in between
        number = -1
    if number < 0:
        cache.set(key, number := max(by, 0))
    cache.touch(key, FORGOTTEN_AFTER)
    return number


def _closed_for(key):
    return max(cache.get(_gate(key), 0) - int(time.time()), 0)


def _gate(key):
    return f"{key}.until"


def _known(key):
    return f"{key}.known"


def _network(address):
    """The network of an IPv6 address, because one client has billions of addresses: they count as one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def _key(*parts):
    return "sign-in." + hashlib.sha256("\0".join(parts).encode()).hexdigest()

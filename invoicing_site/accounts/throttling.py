"""How often somebody may try to sign in: after failures a growing wait, counted in the cache that all share.

Nobody is locked out for good. The wait has a longest step, a try that comes too early adds nothing to it, and
who signed in from an address before is not held up there by what strangers do elsewhere or by its neighbours.
A cache that is down lets everybody try: the passwords still guard, and the log says so.
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
FORGOTTEN_AFTER = 60 * 60  # seconds without a try
KNOWN_FOR = 30 * 24 * 60 * 60


@dataclass(frozen=True)
class Limit:
    """So many tries are free; then the wait grows up to the longest one, in seconds."""

    free: int
    longest: int


NAME_AND_ADDRESS = Limit(free=5, longest=15 * 60)
ADDRESS = Limit(free=30, longest=15 * 60)  # an office may share one
NAME = Limit(free=30, longest=60)  # from many addresses: slowed down, never kept out


def begin(name: str, address: str) -> int:
    """Count a try before its password is looked at; 0 lets it go on, else it is so many seconds too early.

    Counted beforehand, so that a hundred at the same moment are not all the first.
    """
    try:
        counts = _counts(name, address)
        if wait := max(_closed_for(key) for key, _ in counts):
            return wait
        return max(_count(key, limit) for key, limit in counts)
    except RedisError:
        logger.exception("Tries to sign in are not counted: the cache does not answer.")
        return 0


def first_in(key: str, *, seconds: int) -> bool:
    """Whether this is the first time in so many seconds; always, while the cache is down."""
    try:
        return cache.add(f"once:{key}", 1, seconds)
    except RedisError:
        logger.exception("What is asked for again and again is not counted: the cache does not answer.")
        return True


def succeed(name: str, address: str) -> None:
    """Take back what `begin` counted, and remember that this person comes from this address."""
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
    """Where a request comes from, past the proxies in front of us; what a client claims is not asked."""
    if request is None:
        return ""
    nearest = request.META.get("REMOTE_ADDR", "")
    if not settings.LEDGERLINE_PROXIES:
        return nearest
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    try:
        return str(ipaddress.ip_address(told[-settings.LEDGERLINE_PROXIES].strip()))
    except (IndexError, ValueError):
        return nearest


def _counts(name, address):
    """What a try counts for; a known person at a known address answers for nobody else."""
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
    # Of several at the same moment, one closes the gate behind itself; the others stand before it.
    if cache.add(_gate(key), int(time.time()) + wait, wait):
        return 0
    _raise(key, -1)
    return max(_closed_for(key), 1)


def _raise(key, by):
    cache.add(key, 0, FORGOTTEN_AFTER)
    try:
        number = cache.incr(key, by)
    except ValueError:  # forgotten in between
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
    """Who has one IPv6 address has billions beside it: they count as one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def _key(*parts):
    return "sign-in." + hashlib.sha256("\0".join(parts).encode()).hexdigest()

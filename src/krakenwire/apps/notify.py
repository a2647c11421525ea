"""Carry alerts to people: notification addresses, commands, the terminal's bell.

Each target has a thread and a bounded queue of its own, so one that fails or
hangs delays no other and never the feed. A failure is tried again, then
reported and counted; the alert itself was given to the user before it came here.
Addresses hold passwords: they are never printed, logged or put into an error.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TextIO

import msgspec

from krakenwire.errors import ConfigError, MissingExtraError
from krakenwire.limits import (
    NOTIFY_ATTEMPTS,
    NOTIFY_GRACE_S,
    NOTIFY_PAUSE_S,
    NOTIFY_QUEUE,
    NOTIFY_TARGETS_MAX,
    NOTIFY_TIMEOUT_S,
)
from krakenwire.watch import Alert, NotifyUrl, Rule

__all__ = ["Address", "Bell", "Command", "Notifier", "NotifyCounters", "NotifyFailed", "Target", "targets_of"]

_SECRET_VARIABLES: Final = ("KRAKEN_API_KEY", "KRAKEN_API_SECRET")
_ERROR_CHARS: Final = 200


class NotifyFailed(Exception):
    """A target could not be told; the text says why, without secrets."""


class Target(Protocol):
    """Someone to tell. `send` may take its time and raises `NotifyFailed`; `abandon` ends it from another thread."""

    @property
    def name(self) -> str: ...
    def send(self, alert: Alert) -> None: ...
    def abandon(self) -> None: ...


class NotifyCounters(msgspec.Struct):
    """What became of the notifications; `failed` ones were tried, `dropped` ones found the queue full."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    dropped: int = 0
    abandoned: int = 0


# -- targets ---------------------------------------------------------------------


class Address:
    """A notification address, told through apprise.

    Raises:
        MissingExtraError: apprise is not installed.
        ConfigError: apprise does not know such an address.
    """

    def __init__(self, url: NotifyUrl) -> None:
        self.name = str(url)
        try:
            import apprise
        except ImportError:
            raise MissingExtraError(f"notifications to {self.name}", "watch") from None
        _silence("apprise")
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url.reveal()):
            raise ConfigError("notify", expected="an address that apprise knows", found=self.name)

    def send(self, alert: Alert) -> None:
        """Send the alert's message."""
        try:
            delivered = self._apprise.notify(title=f"{alert.symbol} {alert.rule}", body=alert.message)
        except Exception as error:  # noqa: BLE001 - plug-ins raise what they like, with the address in the text
            raise NotifyFailed(type(error).__name__) from None
        if not delivered:
            raise NotifyFailed("not delivered")

    def abandon(self) -> None:
        """Nothing to end: the plug-ins have time-outs of their own."""


class Command:
    """A command, run without a shell: the alert is JSON on its standard input, and in ``KRAKENWIRE_*`` variables."""

    def __init__(self, argv: tuple[str, ...], *, timeout_s: float = NOTIFY_TIMEOUT_S) -> None:
        self.name = f"command {argv[0]}"
        self._argv = argv
        self._timeout_s = timeout_s
        self._running: subprocess.Popen[bytes] | None = None

    def send(self, alert: Alert) -> None:
        """Run the command to its end, or end it."""
        # Files, not pipes: a grandchild that keeps a pipe open would hold us.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaints:
            given.write(alert.to_json().encode() + b"\n")
            given.seek(0)
            try:
                process = subprocess.Popen(  # noqa: S603 - the user's own command, split by the user, no shell
                    self._argv,
                    stdin=given,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    env=_environment(alert),
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise NotifyFailed(f"cannot be run: {error}") from None
            self._running = process
            self._wait(process)
            complaints.seek(0)
            if process.returncode:
                said = complaints.read(_ERROR_CHARS).decode(errors="replace").strip()
                raise NotifyFailed(f"ended with code {process.returncode}" + (f": {said}" if said else ""))

    def abandon(self) -> None:
        """End the command if it runs."""
        process = self._running
        if process is not None and process.poll() is None:
            _end_group(process)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(self._timeout_s)
        except subprocess.TimeoutExpired:
            _end_group(process)
            process.wait()
            raise NotifyFailed(f"did not end within {self._timeout_s:g} s") from None


class Bell:
    """The terminal's bell."""

    name = "bell"

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def send(self, alert: Alert) -> None:  # noqa: ARG002 - a bell says the same to all
        """Ring."""
        try:
            self._terminal.write("\a")
            self._terminal.flush()
        except (OSError, ValueError) as error:
            raise NotifyFailed(str(error)) from None

    def abandon(self) -> None:
        """Nothing to end."""


# -- delivery --------------------------------------------------------------------


class Notifier:
    """Deliver alerts to targets in the background.

    Args:
        targets: for each rule, by its place, who is told; see `targets_of`.
        report: called with one line about each failure, from any thread.
        attempts: how often a notification is tried.
        pause_s: before the second attempt; doubled before each further one.
        queue_max: alerts that may wait for one target.

    Raises:
        ConfigError: more distinct targets than the bound.
    """

    def __init__(
        self,
        targets: list[tuple[Target, ...]],
        report: Callable[[str], None],
        *,
        attempts: int = NOTIFY_ATTEMPTS,
        pause_s: float = NOTIFY_PAUSE_S,
        queue_max: int = NOTIFY_QUEUE,
    ) -> None:
        distinct = list(dict.fromkeys(target for told in targets for target in told))
        if len(distinct) > NOTIFY_TARGETS_MAX:
            raise ConfigError("notify", expected=f"at most {NOTIFY_TARGETS_MAX} distinct targets", found=len(distinct))
        self.counters = NotifyCounters()
        self._targets = targets
        self._report = report
        self._attempts = attempts
        self._pause_s = pause_s
        self._queue_max = queue_max
        self._lock = threading.Lock()
        self._abandoned = threading.Event()
        self._workers: dict[Target, tuple[queue.Queue[Alert | None], threading.Thread]] = {}

    def tell(self, alert: Alert) -> None:
        """Hand an alert to the targets of its rule. Never waits."""
        for target in self._targets[alert.index]:
            waiting, _ = self._worker(target)
            try:
                waiting.put_nowait(alert)
            except queue.Full:
                self._count("dropped")
                self._report(f"{target.name}: {self._queue_max} alerts are waiting, this one is not sent")

    def close(self, grace_s: float = NOTIFY_GRACE_S) -> None:
        """Let pending notifications end within `grace_s`, then give up on the rest and say how many."""
        deadline = time.monotonic() + grace_s
        for waiting, _ in self._workers.values():
            try:
                waiting.put_nowait(None)
            except queue.Full:
                continue
        for _, thread in self._workers.values():
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandoned.set()
        for target, (waiting, thread) in self._workers.items():
            if thread.is_alive():
                left = waiting.qsize()
                target.abandon()
                thread.join(0.2)
                self._count("abandoned", left)
                self._report(f"{target.name}: given up at the end, {left} more were waiting")

    def _worker(self, target: Target) -> tuple[queue.Queue[Alert | None], threading.Thread]:
        if target not in self._workers:
            waiting: queue.Queue[Alert | None] = queue.Queue(self._queue_max)
            thread = threading.Thread(
                target=self._work, args=(target, waiting), name=f"krakenwire notify {target.name}", daemon=True
            )
            self._workers[target] = (waiting, thread)
            thread.start()
        return self._workers[target]

    def _work(self, target: Target, waiting: queue.Queue[Alert | None]) -> None:
        while not self._abandoned.is_set() and (alert := waiting.get()) is not None:
            self._deliver(target, alert)

    def _deliver(self, target: Target, alert: Alert) -> None:
        pause_s = self._pause_s
        for attempt in range(1, self._attempts + 1):
            try:
                target.send(alert)
            except NotifyFailed as error:
                if attempt == self._attempts or self._abandoned.is_set():
                    self._count("failed")
                    self._report(f"{target.name}: {error}; given up after {attempt} attempts ({alert.message})")
                    return
                self._count("retried")
                self._abandoned.wait(pause_s)
                pause_s *= 2
            else:
                self._count("sent")
                return

    def _count(self, name: str, by: int = 1) -> None:
        with self._lock:
            setattr(self.counters, name, getattr(self.counters, name) + by)


def targets_of(
    rules: Iterable[Rule],
    *,
    urls: tuple[NotifyUrl, ...] = (),
    run: tuple[str, ...] = (),
    bell: TextIO | None = None,
) -> list[tuple[Target, ...]]:
    """Return who is told of each rule, one target object per distinct address and command.

    Args:
        rules: the engine's rules, in its order.
        urls: addresses told of every rule, besides what the rule names.
        run: a command run for every rule, besides the rule's own.
        bell: the terminal whose bell rings for every rule; None for no bell.

    Raises:
        MissingExtraError, ConfigError: as `Address`.
    """
    rules = tuple(rules)
    addresses = {url: Address(url) for url in dict.fromkeys((*urls, *(url for rule in rules for url in rule.notify)))}
    commands = {argv: Command(argv) for argv in dict.fromkeys((run, *(rule.run for rule in rules))) if argv}
    common = () if bell is None else (Bell(bell),)
    return [
        (
            *(addresses[url] for url in dict.fromkeys((*urls, *rule.notify))),
            *(commands[argv] for argv in dict.fromkeys((run, rule.run)) if argv),
            *common,
        )
        for rule in rules
    ]


def _environment(alert: Alert) -> dict[str, str]:
    values = {
        "SYMBOL": alert.symbol,
        "RULE": alert.rule,
        "CONDITION": alert.condition,
        "PRICE": "" if alert.price is None else format(alert.price, "f"),
        "SOURCE": alert.source,
        "TIME": alert.time or "",
        "MESSAGE": alert.message,
    }
    kept = {name: value for name, value in os.environ.items() if name not in _SECRET_VARIABLES}
    return kept | {f"KRAKENWIRE_{name}": value.replace("\0", "") for name, value in values.items()}


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a command with everything it started: it leads a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _silence(name: str) -> None:
    """Keep a library's log off the terminal: its lines carry addresses."""
    logger = logging.getLogger(name)
    logger.addHandler(logging.NullHandler())
    logger.propagate = False

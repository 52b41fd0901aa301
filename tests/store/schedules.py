"""All orders in which a few actors can take their steps, tried one after the other.

An actor is a thread that runs real code, and waits for its turn before each step that others could
notice. From each state every actor that can go on is tried, and every outcome its step can have. A
schedule that comes to a state where another one has been is left: what follows is known.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol

GO = "goes on"

Known = dict[Hashable, "list[str]"]  # the moves that there are from a state


class Violation(BaseException):
    """A law is broken; no Exception, so that the code under test can't swallow it."""


class Death(BaseException):
    """The process of an actor ends in the middle of what it does."""


class Abandoned(BaseException):
    """The schedule is left."""


@dataclass(frozen=True)
class Step:
    """What an actor is about to do, what may come of it, and when it can.

    An ``own`` step is one that nobody else can notice, so that it need not be tried in any order.
    """

    name: str
    outcomes: tuple[str, ...]
    ready: Callable[[], bool]
    own: bool


def step(
    name: str, *faults: str, ready: Callable[[], bool] = lambda: True, own: bool = False
) -> str:
    """Wait until it is this thread's turn, and return what comes of the step."""
    actor = threading.current_thread()
    if not isinstance(actor, Actor) or actor.free or (own and not faults):
        return GO
    return actor.wait(Step(name, (GO, *faults), ready, own))


class Actor(threading.Thread):
    """A thread that runs while all others wait.

    ``lived`` is what decides all that it will do: its steps so far, and what it could see at each.
    """

    def __init__(self, name: str, script: Callable[[], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.script = script
        self.lived: list[Hashable] = []
        self.next: Step | None = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.free = False  # takes its steps without waiting
        self._outcome = GO
        self._turn = threading.Semaphore(0)
        self._done = threading.Semaphore(0)

    def run(self) -> None:
        try:
            self.script()
        except (Abandoned, Death):
            pass
        except BaseException as error:
            self.error = error
        self.next = None
        self._done.release()

    def wait(self, coming: Step) -> str:
        """Hand over, and return the outcome when it is this actor's turn again."""
        if not self.abandoned:
            self.next = coming
            self._done.release()
            self._turn.acquire()
        if self.abandoned:
            raise Abandoned
        return self._outcome

    def begin(self) -> None:
        """Run up to the first step."""
        self.start()
        self._done.acquire()

    def go(self, outcome: str) -> None:
        """Take one step, and run up to the next."""
        self._outcome = outcome
        self._turn.release()
        self._done.acquire()

    def end(self) -> None:
        """Leave everything, and end the thread."""
        self.abandoned = True
        self._turn.release()
        self.join()


class World(Protocol):
    """What the actors act on; a new one for each schedule."""

    actors: list[Actor]

    def state(self) -> Hashable:
        """Return what all actors share."""

    def seen(self, actor: Actor, coming: Step) -> Hashable:
        """Return what a step of an actor can see now."""

    def close(self) -> None:
        """Let go of what was opened."""


@dataclass
class Explored:
    """How much has been tried."""

    schedules: int = 0  # begun
    finished: int = 0  # followed to their end
    states: int = 0


def explore(build: Callable[[], World]) -> Explored:
    """Try all schedules. Raises AssertionError with the first that breaks a law."""
    explored, known = Explored(), Known()
    untried: list[tuple[int, ...]] = [()]
    while untried:
        world = build()
        schedule = Schedule(world, untried.pop())
        try:
            explored.finished += schedule.follow(known, untried)
        except Violation as violation:
            raise AssertionError("\n".join([str(violation), *schedule.told])) from violation
        finally:
            for actor in world.actors:
                actor.end()
            world.close()
        explored.schedules += 1
    explored.states = len(known)
    return explored


class Schedule:
    """One order of steps: a path of choices, and then always the first one."""

    def __init__(self, world: World, path: tuple[int, ...]) -> None:
        self.world = world
        self.path = path
        self.told: list[str] = []

    def follow(self, known: Known, untried: list[tuple[int, ...]]) -> bool:
        """Return whether it came to its end, and not to a state that is known."""
        for actor in self.world.actors:
            actor.begin()
            _raise_error(actor)
        while moves := self._moves():
            if len(self.told) == len(self.path):
                state, names = self._state(), [_name(*move) for move in moves]
                if state in known:
                    _compare(known[state], names)
                    return False
                known[state] = names
                untried += [(*self.path, other) for other in range(1, len(moves))]
                self.path += (0,)
            self._make(*moves[self.path[len(self.told)]])
        if stuck := [actor.name for actor in self.world.actors if actor.next]:
            raise Violation(f"for ever waiting: {', '.join(stuck)}")
        return True

    def _moves(self) -> list[tuple[Actor, str]]:
        waiting = [(actor, actor.next) for actor in self.world.actors if actor.next]
        can = [(actor, coming) for actor, coming in waiting if coming.ready()]
        first = [(actor, coming) for actor, coming in can if coming.own][:1]
        return [(actor, outcome) for actor, coming in first or can for outcome in coming.outcomes]

    def _state(self) -> Hashable:
        return self.world.state(), tuple(tuple(actor.lived) for actor in self.world.actors)

    def _make(self, actor: Actor, outcome: str) -> None:
        coming: Any = actor.next
        self.told.append(f"  {_name(actor, outcome)}")
        actor.lived.append((outcome, None if coming.own else self.world.seen(actor, coming)))
        actor.go(outcome)
        _raise_error(actor)


def _name(actor: Actor, outcome: str) -> str:
    coming: Any = actor.next
    return f"{actor.name} {coming.name}: {outcome}"


def _compare(before: list[str], now: list[str]) -> None:
    if before != now:
        raise Violation(f"a state does not tell all: from it once {before}, then {now}")


def _raise_error(actor: Actor) -> None:
    if actor.error is not None:
        raise Violation(f"{actor.name}: {actor.error}") from actor.error

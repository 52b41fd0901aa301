"""``flags rollout``: set the share at once, or let stages raise it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flaggate import changes
from flaggate.management import changing
from flaggate.management.moments import moment
from flaggate.models import wording

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from flaggate.management.answers import Options
    from flaggate.models import Flag

STEERING = {
    "pause": (changes.rollouts.pause, "Stay at this stage."),
    "resume": (changes.rollouts.resume, "Go on after a pause."),
    "stop": (changes.rollouts.stop, "End the stages here: this share stays."),
    "complete": (changes.rollouts.complete, "Go to the last stage, and end there."),
}


def arguments(parser: ArgumentParser) -> None:
    """Declare a share, a plan, or a word to steer it."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "percentage", nargs="?", metavar="PERCENT", help="0 to 100, with up to three decimals."
    )
    what.add_argument(
        "--stages", metavar="PLAN", help="Shares, and how long they hold: 5:1d,25:12h,100."
    )
    what.add_argument("--start", action="store_true", help="Run the stages that the flag has.")
    for word, (_act, help_) in STEERING.items():
        what.add_argument(
            f"--{word}", action="store_const", dest="steering", const=word, help=help_
        )
    parser.add_argument(
        "--at", type=moment, metavar="MOMENT", help="When stages start: 2027-01-31T09:00Z."
    )


def _act(key: str, options: Options) -> None:
    if options["steering"]:
        STEERING[options["steering"]][0](key)
    elif options["percentage"] is not None:
        changes.rollout(key, options["percentage"])
    else:
        plan = changes.rollouts.to_plan(options["stages"]) if options["stages"] else ()
        changes.rollouts.start(key, plan, at=options["at"])


def _said(before: Flag, after: Flag) -> str:
    if wording.rollout_of(before) or wording.rollout_of(after):
        return changing.became(before, after)
    return f"{_share(after)} (was {wording.percent(before.percentage)})"


def _share(flag: Flag) -> str:
    whom = wording.audience(flag)
    state = wording.state(flag) if flag.enabled else f"off; once enabled, on for {whom}"
    bare = state.endswith(wording.percent(flag.percentage)) and not flag.rules.all()
    return f"{state} of everyone" if bare else state


run = changing.write(_act, _said)

"""Every screen of admin that is our own, how an operator gets there, and what the docs show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Visit = Callable[["Page"], None]

FLAGS = "/admin/flaggate/flag/"
SEGMENTS = "/admin/flaggate/segment/"
HISTORY = "/admin/flaggate/revision/of/flag/new_checkout/"


def at(path: str) -> Visit:
    """Go to a page that has an address of its own."""

    def visit(page: Page) -> None:
        page.goto(path)

    return visit


def follow(link: Locator) -> None:
    """Click on what leads to another page, and wait for that."""
    with link.page.expect_navigation():
        link.click()


def log_in(page: Page, shop: str = "", name: str = "admin") -> Page:
    """Come in as somebody of the shop, whose password is their name."""
    page.goto(f"{shop}/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(name)
    follow(page.get_by_role("button", name="Log in"))
    return page


def opened(listed: str, key: str, link: str = "") -> Visit:
    """Open the page of one in a list, and follow a link of it."""

    def visit(page: Page) -> None:
        page.goto(f"{listed}?q={key}")
        follow(page.locator("#result_list").get_by_role("link", name=key, exact=True))
        if link:
            follow(page.locator("#content").get_by_role("link", name=link))

    return visit


def flag(key: str, link: str = "") -> Visit:
    return opened(FLAGS, key, link)


def segment(key: str, link: str = "") -> Visit:
    return opened(SEGMENTS, key, link)


def deed(key: str, label: str, **filled: str) -> Visit:
    """Ask for a deed by its button in the list, and say more where it asks for that first."""

    def visit(page: Page) -> None:
        page.goto(FLAGS)
        follow(page.get_by_role("link", name=f"{label}: {key}", exact=True))
        for name, value in filled.items():
            page.get_by_label(name).fill(value)
            follow(page.get_by_role("button", name="Continue"))

    return visit


def several(page: Page) -> None:
    page.goto(FLAGS)
    for key in ("makers_notes", "pay_by_invoice"):
        page.get_by_role("row").filter(has_text=key).get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label="Turn off")
    follow(page.get_by_role("button", name="Run").or_(page.get_by_role("button", name="Go")))


def done(page: Page) -> None:
    """Set a share and be told so; the next visit takes it back."""
    page.goto(FLAGS)
    row = page.get_by_role("row").filter(has_text="makers_notes")
    share = "25" if "50 %" in row.inner_text() else "50"
    deed("makers_notes", "Set the share", Share=share)(page)
    page.get_by_label("Why?").fill("Nobody missed a thing")
    follow(page.get_by_role("button", name="Set the share"))


def overtaken(page: Page) -> None:
    """Press Undo when somebody else has changed the flag once more."""
    done(page)
    other = page.context.new_page()
    done(other)
    other.close()
    follow(page.get_by_role("button", name="Undo"))


def review(page: Page) -> None:
    flag("early_access")(page)
    page.get_by_label("Description").fill("Products that are not on the shelf yet.")
    page.locator("#rules-1 .field-percentage input").fill("80")
    page.get_by_label("Why?").last.fill("The testers asked for it")
    follow(page.get_by_role("button", name="Review changes"))


def supposed(page: Page) -> None:
    """Ask who would get a flag, for a sample and for somebody, and do not save it."""
    flag("early_access")(page)
    page.get_by_label("Percentage", exact=False).first.fill("20")
    follow(page.get_by_role("button", name="Who would get this?"))
    page.get_by_label("or a targeting key").fill("12")
    follow(page.get_by_role("button", name="Ask", exact=True))


def overridden(page: Page) -> None:
    flag("gift_wrap")(page)
    page.get_by_text("See this for yourself").click()
    follow(page.get_by_role("button", name="Off for me"))


def conflict(page: Page) -> None:
    """Be the second of two who have opened the same flag."""
    flag("pay_by_invoice")(page)
    page.get_by_label("Description").fill("Pay within 30 days, where people expect to.")
    assert page.context.browser
    elsewhere = page.context.browser.new_context(base_url=page.url.partition("/admin/")[0])
    other = log_in(elsewhere.new_page(), name="olivia")
    flag("pay_by_invoice")(other)
    percentage = other.get_by_label("Percentage", exact=False).first
    percentage.fill("0" if percentage.input_value() == "10" else "10")
    follow(other.get_by_role("button", name="Review changes"))
    follow(other.get_by_role("button", name="Save", exact=True))
    elsewhere.close()
    follow(page.get_by_role("button", name="Review changes"))


def who(page: Page) -> None:
    flag("early_access", "Who gets this?")(page)
    page.get_by_label("or a context as JSON").fill('{"targeting_key": "3", "groups": ["beta"]}')
    follow(page.get_by_role("button", name="Ask", exact=True))


def sampled(page: Page) -> None:
    flag("refill_reminders", "Who gets this?")(page)
    follow(page.get_by_role("link", name="newest users"))


def compared(page: Page) -> None:
    page.goto(HISTORY)
    page.get_by_label("from version 2", exact=True).check()
    page.get_by_label("to version 5", exact=True).check()
    follow(page.get_by_role("button", name="Compare the chosen two"))


def reverting(page: Page) -> None:
    page.goto(HISTORY)
    follow(page.get_by_role("link", name="Revert to version 3…"))


def revision(page: Page) -> None:
    page.goto(HISTORY)
    follow(page.get_by_role("link", name="Version 3", exact=True))


def previewed(page: Page) -> None:
    segment("vip_customers", "Import members")(page)
    page.get_by_label("Paste targeting keys").fill("1\n2\n12\n12\n340\nvisitor-7f3a")
    follow(page.get_by_role("button", name="Show what would change"))


def shop(page: Page) -> None:
    """Release the new checkout to everyone, and look at it."""
    deed("new_checkout", "Set the share", Share="100")(page)
    follow(page.get_by_role("button", name="Set the share"))
    page.goto("/products/midnight-ink/")


def issued(page: Page) -> None:
    page.goto("/admin/flaggate/apikey/add/")
    page.get_by_label("Name").fill("Status page")
    page.get_by_label("evaluate what browsers may see").check()
    follow(page.get_by_role("button", name="Save", exact=True))


SCREENS: dict[str, Visit] = {
    "card": at("/admin/"),
    "app-index": at("/admin/flaggate/"),
    "flag-list": at(FLAGS),
    "flag-list-empty": at(f"{FLAGS}?q=nothing"),
    "turn-on": deed("loyalty_card", "Turn on"),
    "turn-off-critical": deed("card_payments", "Turn off"),
    "turn-off-required": deed("new_checkout", "Turn off"),
    "turn-off-quarantined": deed("address_lookup", "Turn off"),
    "ask-for-share": deed("makers_notes", "Set the share"),
    "set-share": deed("gift_wrap", "Set the share", Share="50"),
    "start-rollout": flag("loyalty_card", "Start a rollout"),
    "start-refused": at(f"{FLAGS}do/start/?key=loyalty_card&value=50:1d,25:1d,100"),
    "several": several,
    "done": done,
    "undo-overtaken": overtaken,
    "flag-add": at(f"{FLAGS}add/"),
    "flag-page": flag("ink_subscription"),
    "flag-variants": flag("banner"),
    "flag-quarantined": flag("address_lookup"),
    "flag-required": flag("new_checkout"),
    "flag-delete": flag("new_checkout", "Delete"),
    "flag-delete-critical": flag("card_payments", "Delete"),
    "review": review,
    "supposed": supposed,
    "conflict": conflict,
    "who": flag("early_access", "Who gets this?"),
    "who-answer": who,
    "who-sample": sampled,
    "history": at(HISTORY),
    "compare": compared,
    "revert": reverting,
    "activity": at("/admin/flaggate/revision/"),
    "revision": revision,
    "segment-list": at(SEGMENTS),
    "segment-add": at(f"{SEGMENTS}add/"),
    "segment-page": segment("early_birds"),
    "segment-people": segment("vip_customers"),
    "segment-members": segment("newsletter", "Search and page through them"),
    "segment-import": segment("newsletter", "Import members"),
    "segment-preview": previewed,
    "segment-matching": segment("early_birds", "Count matching users"),
    "key-list": at("/admin/flaggate/apikey/"),
    "key-add": at("/admin/flaggate/apikey/add/"),
    "key-issued": issued,
    "usage": at("/admin/flaggate/usage/"),
    "tombstones": at("/admin/flaggate/tombstone/"),
    "overridden": overridden,
}

# The pictures of the docs: what to scroll to, and how many pixels from there. Those that change
# something come last, so that the others show the shop as it was seeded.
PICTURES: dict[str, tuple[str, int]] = {
    "card": ("#header", 535),
    "flag-list": ("#header", 720),
    "activity": ("#header", 520),
    "set-share": ("#header", 440),
    "start-rollout": ("#header", 310),
    "flag-page": ("#header", 620),
    "flag-variants": ("#variants-group", 420),
    "flag-quarantined": ("#header", 330),
    "review": ("#flaggate-review", 320),
    "supposed": (".flaggate-compared", 430),
    "who-answer": ("#flaggate-answer", 400),
    "who-sample": (".flaggate-sample", 420),
    "history": ("#header", 640),
    "compare": ("#header", 560),
    "revert": ("#header", 490),
    "segment-page": ("#conditions-group", 400),
    "segment-members": ("#header", 480),
    "segment-preview": ("#header", 540),
    "segment-matching": ("#header", 270),
    "conflict": ("#header", 620),
    "done": ("#header", 420),
    "shop": ("body", 720),
}
VISITS = SCREENS | {"shop": shop}

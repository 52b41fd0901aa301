"""The catalogue, in the order of the shelf."""

from typing import Any

from shop.models import Product

PRODUCTS: list[dict[str, Any]] = [
    {
        "slug": "dot-grid-notebook",
        "name": "Dot grid notebook",
        "tagline": "192 pages that lie flat",
        "price": "18.50",
        "tint": "rose",
        "description": (
            "Thread-sewn, so it stays open where you left it. The dots are pale enough to vanish "
            "under ink, and dark enough to draw a straight table on a moving train."
        ),
        "details": "A5, 90 g paper\n5 mm dots\nRibbon and elastic band",
        "note": "We number the last page, not the first. You will see why.",
    },
    {
        "slug": "brass-nib-fountain-pen",
        "name": "Brass nib fountain pen",
        "tagline": "Fine nib, forest green",
        "price": "64.00",
        "tint": "blue",
        "description": (
            "A pen for the second draft: it asks you to slow down by about one word a minute. "
            "Fills from any bottle, and comes apart without a tool."
        ),
        "details": "Fine nib\nPiston filler, 1.2 ml\n22 g without ink",
        "note": "It squeaks on cheap paper. We consider that good advice.",
    },
    {
        "slug": "midnight-ink",
        "name": "Midnight ink",
        "tagline": "Blue-black, 50 ml",
        "price": "12.00",
        "tint": "yellow",
        "description": (
            "Goes on blue and dries almost black. Stays put when it rains on the envelope, "
            "and washes off your fingers by Thursday."
        ),
        "details": "50 ml in glass\nWater-resistant\nSafe for fountain pens",
        "note": "The moon on the label is accurate for the day we printed it.",
    },
    {
        "slug": "cedar-pencils",
        "name": "Cedar pencils",
        "tagline": "Three, HB, smell included",
        "price": "6.90",
        "tint": "green",
        "description": (
            "Incense cedar, seven coats of lacquer and a core that sharpens to a long point. "
            "One for the desk, one for the bag, one to lend and not get back."
        ),
        "details": "HB\nHexagonal\nSharpened at our table",
        "note": "Red is the lucky one. We did not test this.",
    },
    {
        "slug": "page-flags",
        "name": "Page flags",
        "tagline": "Four colours, on or off",
        "price": "4.20",
        "tint": "lilac",
        "description": (
            "Mark a page now, decide later what for. They stick without a trace and come off "
            "when the page has served its purpose; nobody needs to reprint the book."
        ),
        "details": "4 × 40 strips\nWrite on them with pencil or pen\nRemoves cleanly",
        "note": "Yes, we know. Our engineers picked the product of the month.",
    },
    {
        "slug": "brass-ruler",
        "name": "Brass ruler",
        "tagline": "15 cm, heavy on purpose",
        "price": "22.00",
        "tint": "blue",
        "description": (
            "Heavy enough to hold the page open while you think. The marks are engraved and "
            "filled, so they will outlast the units."
        ),
        "details": "15 cm, 84 g\nBevelled edge\nGrows darker with use",
        "note": "Polish it if you must. We never do.",
    },
    {
        "slug": "sealed-envelopes",
        "name": "Sealed envelopes",
        "tagline": "Ten, with wax",
        "price": "14.80",
        "tint": "yellow",
        "description": (
            "Laid paper envelopes, and a stick of wax that melts over a candle in one song. "
            "Everything that arrives in them is read twice."
        ),
        "details": "10 envelopes, C6\n1 stick of wax\nA brass seal is on its way",
        "note": "The first three seals will look terrible. Send those to friends.",
    },
    {
        "slug": "washi-tape",
        "name": "Washi tape",
        "tagline": "Coral, ten metres",
        "price": "3.90",
        "tint": "green",
        "description": (
            "Rice paper tape that tears by hand, sticks to walls without leaving its mark, "
            "and forgives you when you put it on crooked."
        ),
        "details": "15 mm × 10 m\nTears by hand\nCan be written on",
        "note": "Crooked is the correct angle.",
    },
    {
        "slug": "patient-eraser",
        "name": "Patient eraser",
        "tagline": "Second thoughts welcome",
        "price": "2.80",
        "tint": "lilac",
        "description": (
            "Soft, dust-free and without an opinion about what you wrote. "
            "The sleeve slides back as it shrinks, roughly a sentence a day."
        ),
        "details": "Free of PVC\nCardboard sleeve\nDoes not smear",
        "note": "Good writers wear out one a year. Careful ones, two.",
    },
    {
        "slug": "long-scissors",
        "name": "Long scissors",
        "tagline": "For paper and nothing else",
        "price": "26.00",
        "tint": "yellow",
        "description": (
            "Hot-forged blades that cut to the very tip. Hang them high, and tell everyone that "
            "they are for paper. Tell them again."
        ),
        "details": "21 cm, carbon steel\nFor either hand\nWe sharpen them for free",
        "note": "We can tell when somebody has cut a parcel with them.",
    },
    {
        "slug": "index-cards",
        "name": "Index cards",
        "tagline": "A hundred, in a beech box",
        "price": "29.00",
        "tint": "blue",
        "description": (
            "One idea a card. Shuffle them until the essay appears. "
            "The box holds three hundred, which is a book."
        ),
        "details": "100 cards, A6, 250 g\nBeech box\nFive dividers",
        "note": "This whole shop was planned on forty-one of them.",
    },
    {
        "slug": "copper-paper-clips",
        "name": "Copper paper clips",
        "tagline": "A tin of fifty",
        "price": "7.50",
        "tint": "rose",
        "description": (
            "Copper-plated steel with rounded ends, so that they hold together what belongs "
            "together and let go without a scratch."
        ),
        "details": "50 clips, 32 mm\nTin with a lid\nDo not rust",
        "note": "They bend into a decent letter M.",
    },
    {
        "slug": "date-stamp",
        "name": "Date stamp",
        "tagline": "Twelve years of days",
        "price": "19.00",
        "tint": "green",
        "shelf": "early",
        "description": (
            "Turn the bands, press once, and the page knows how old it is. "
            "We are still deciding on the colour of the handle, so tell us."
        ),
        "details": "4 mm digits\nSelf-levelling\nRefillable pad",
        "note": "It goes up to 2037. We will talk then.",
    },
    {
        "slug": "leaf-bookmarks",
        "name": "Leaf bookmarks",
        "tagline": "Three trees, three colours",
        "price": "8.40",
        "tint": "blue",
        "shelf": "autumn",
        "description": (
            "Beech, maple and linden, cut from cotton paper and dyed with walnut. "
            "They keep your place until spring."
        ),
        "details": "Set of three\n300 g cotton paper\nLinen strings",
        "note": "Maple falls out of the book first. It always does.",
    },
]


def seed() -> None:
    """Add the missing products."""
    for order, product in enumerate(PRODUCTS):
        Product.objects.get_or_create(slug=product["slug"], defaults={**product, "order": order})

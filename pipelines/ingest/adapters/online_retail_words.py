"""What the words of the UCI Online Retail sets mean: countries, codes that are no product, categories."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: ISO 3166-1 alpha-2 codes of the country names in both sets; None where a name stands for no single country.
COUNTRIES: Final[dict[str, str | None]] = {
    "AUSTRALIA": "AU",
    "AUSTRIA": "AT",
    "BAHRAIN": "BH",
    "BELGIUM": "BE",
    "BERMUDA": "BM",
    "BRAZIL": "BR",
    "CANADA": "CA",
    "CHANNEL ISLANDS": None,  # Guernsey or Jersey
    "CYPRUS": "CY",
    "CZECH REPUBLIC": "CZ",
    "DENMARK": "DK",
    "EIRE": "IE",
    "EUROPEAN COMMUNITY": None,
    "FINLAND": "FI",
    "FRANCE": "FR",
    "GERMANY": "DE",
    "GREECE": "GR",
    "HONG KONG": "HK",
    "ICELAND": "IS",
    "ISRAEL": "IL",
    "ITALY": "IT",
    "JAPAN": "JP",
    "KOREA": "KR",
    "LEBANON": "LB",
    "LITHUANIA": "LT",
    "MALTA": "MT",
    "NETHERLANDS": "NL",
    "NIGERIA": "NG",
    "NORWAY": "NO",
    "POLAND": "PL",
    "PORTUGAL": "PT",
    "RSA": "ZA",
    "SAUDI ARABIA": "SA",
    "SINGAPORE": "SG",
    "SPAIN": "ES",
    "SWEDEN": "SE",
    "SWITZERLAND": "CH",
    "THAILAND": "TH",
    "UNITED ARAB EMIRATES": "AE",
    "UNITED KINGDOM": "GB",
    "UNSPECIFIED": None,
    "USA": "US",
    "WEST INDIES": None,
}

_NO_PRODUCTS: Final = frozenset(
    (
        "AMAZONFEE",
        "BANK CHARGES",
        "C2",  # carriage
        "C3",
        "CRUK",  # commission of a charity
        "D",  # discount
        "DOT",  # postage of another shop
        "GIFT",
        "M",  # entered by hand
        "PADS",  # "to match all cushions", at 0.00 or 0.001
        "POST",
        "S",  # samples
    )
)
_NO_PRODUCT_PREFIXES: Final = ("GIFT_", "TEST")
ADJUSTMENTS: Final = frozenset(("B", "ADJUST", "ADJUST2"))


def is_adjustment(invoice: str) -> bool:
    """Whether an invoice corrects the books (bad debt and the like) rather than sells or takes back something.

    >>> is_adjustment("A563185"), is_adjustment("C536379")
    (True, False)
    """
    return invoice[:1].isalpha() and not invoice.startswith("C")


def is_product(item: str) -> bool:
    """Whether an item code (in capitals) is of something that is sold: no postage, fee, discount, voucher or sample.

    >>> is_product("85123A"), is_product("POST"), is_product("GIFT_0001_20")
    (True, False, False)
    """
    return item not in _NO_PRODUCTS and not item.startswith(_NO_PRODUCT_PREFIXES)


#: Coarse categories by words of the description; the first that has one of them. The sets hold no categories of
#: their own, and pooled rates need some: this is a guess at what kind of thing it is, not the seller's catalogue.
_CATEGORY_WORDS: Final = {
    "seasonal": "CHRISTMAS XMAS EASTER ADVENT REINDEER SANTA SNOWMAN SNOWFLAKE BAUBLE BAUBLES WREATH",
    "jewellery": (
        "NECKLACE BRACELET BRACELETS EARRING EARRINGS BROOCH RING BANGLE PENDANT HAIRCLIP HAIRBAND TIARA JEWELLERY"
    ),
    "bags": "BAG BAGS SHOPPER PURSE WALLET BACKPACK RUCKSACK HANDBAG TOTE SUITCASE",
    "party": "PARTY BUNTING NAPKIN NAPKINS BALLOON BALLOONS CONFETTI GARLAND DOILY DOILIES",
    "stationery": (
        "CARD CARDS WRAP PAPER NOTEBOOK NOTEPAD PENCIL PENCILS PEN PENS STICKER STICKERS TAGS RIBBON RIBBONS TISSUE "
        "ENVELOPE ENVELOPES SKETCHBOOK ERASER ERASERS STAMP TAPE CHALK CHALKBOARD JOURNAL ALBUM CALENDAR RULER BOOK"
    ),
    "lighting": "CANDLE CANDLES T-LIGHT T-LIGHTS LANTERN LIGHT LIGHTS LAMP LAMPSHADE CANDLESTICK CHANDELIER LED TORCH",
    "toys and craft": (
        "TOY TOYS GAME GAMES DOLL JIGSAW PLAYING PUZZLE SKITTLES FELTCRAFT KNITTING SEWING CRAFT MARBLES YO-YO "
        "DOMINOES PLAYHOUSE HARMONICA TEDDY"
    ),
    "kitchen": (
        "CAKE CAKES TEA MUG MUGS CUP CUPS TEACUP TEAPOT SAUCER BOWL BOWLS PLATE PLATES JUG JAM JAR JARS CUTLERY BAKING "
        "LUNCH EGG APRON KITCHEN COFFEE TRAY PAN POPCORN CUTTERS COASTER COASTERS RECIPE BREAD SPOON SPOONS TEASPOONS "
        "SUGAR MILK CAKESTAND BEAKER TINS PANTRY PICNIC BISCUIT COOKIE SNACK DINNER"
    ),
    "garden": "GARDEN GARDENERS WATERING PLANT PLANTER HERB PARASOL SEED SEEDS TROWEL KNEELING",
    "textiles": "CUSHION CUSHIONS DOORMAT BLANKET RUG QUILT THROW TOWEL TOWELS SLIPPERS SCARF GLOVES WARMER",
    "storage": "BOX BOXES TIN BASKET STORAGE CABINET DRAWER RACK HOOK HOOKS HANGER HOLDER BIN CHEST CRATE",
    "home decoration": (
        "SIGN CLOCK FRAME MIRROR DECORATION DECORATIONS ORNAMENT DOOR KNOB VASE WALL ART PHOTO PICTURE DOORSTOP "
        "MAGNET MAGNETS HANGING HEART HEARTS"
    ),
}
_CATEGORY_OF_WORD: Final = [(name, frozenset(words.split())) for name, words in _CATEGORY_WORDS.items()]
_WORD: Final = re.compile(r"[A-Z0-9][A-Z0-9-]*")


def category_of(descriptions: Iterable[str]) -> str | None:
    """A coarse category from an item's descriptions, the most usual first; None where their words say nothing.

    >>> category_of(["JUMBO BAG RED RETROSPOT"]), category_of(["SET/6 COLLAGE"])
    ('bags', None)
    """
    for description in descriptions:
        words = set(_WORD.findall(description.upper()))
        for name, telling in _CATEGORY_OF_WORD:
            if words & telling:
                return name
    return None

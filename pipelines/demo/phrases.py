"""What simulated staff write down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

NOTES: Final[Mapping[str, Sequence[str]]] = {
    "as_described": (
        "Tags on, seal whole, nothing to see.",
        "Item is the one that was sent. Packed neatly.",
        "All complete. Back to stock.",
    ),
    "worn": (
        "Creases at the elbows and a smell of perfume; tag has been reattached with a pin.",
        "Soles are worn. Compare the photo with a new pair.",
        "Deodorant marks inside the collar.",
    ),
    "damaged": (
        "Box crushed at one corner; could well have happened on the way.",
        "Crack in the casing. Asked the warehouse whether it left us like this.",
    ),
    "wrong_item": (
        "Serial number is not that of the item that was sent.",
        "Same brand, older model. Packing record shows the new one.",
    ),
    "counterfeit": ("Stitching and label differ from our sample. Second colleague agrees.",),
    "missing_item": ("Parcel holds two of three. Weight at the first scan fits two.",),
    "empty_package": ("Nothing but paper in the box. Weight at the first scan: 140 g.",),
    "not_arrived": (
        "Carrier: last scan at the depot, no handover on record.",
        "Trace came back: parcel lost between depots.",
    ),
    "delivery_shown": (
        "Carrier sent a photo of the parcel at the right door, and a signature.",
        "Trace: handed over to the customer on the day of the scan.",
    ),
}
CAPTIONS: Final[Mapping[str, str]] = {
    "as_described": "As it arrived",
    "worn": "Signs of wear",
    "damaged": "The damage",
    "wrong_item": "Serial number on the item",
    "counterfeit": "Label beside our sample",
    "missing_item": "What was in the parcel",
    "empty_package": "The opened parcel",
}
CONFIRMED: Final[Mapping[str, str]] = {
    "worn": "Clear signs of wear, photographed; the item cannot be sold as new.",
    "wrong_item": "The serial number is not that of the item that was sold.",
    "counterfeit": "Not a product of the brand: label and stitching differ from our sample.",
    "missing_item": "The weight at the first scan shows that not all of it was sent.",
    "empty_package": "The weight at the first scan shows an empty box.",
    "delivery_shown": "The carrier's photo and signature show a delivery at the right address.",
}
CLEARED_ALL_THE_SAME: Final = (
    "What was seen can have other causes: the product page shows the same complaint from others.",
    "The packing record is not clear, so this is decided in the customer's favour.",
)
INCONCLUSIVE: Final = (
    "Could not be settled: the carrier has no weight for this parcel.",
    "What was seen may be from the shop floor. Not enough to say so.",
)
UNSURE: Final = (
    "Hard to say whether this is wear or how the fabric looks. Please have a look.",
    "The photos and the packing record do not agree. I would like another pair of eyes.",
)
WAITING: Final[Mapping[str, str]] = {
    "return": "The parcel is on its way; we look when it is here.",
    "claim": "Asked the carrier for a trace.",
}
UPHELD: Final = "Looked at again with the photos; the finding stands."
OVERTURNED: Final = "The customer sent a picture from the day of delivery that explains it."
DISPUTES: Final = (
    "I sent it back exactly as I got it. Please look again.",
    "My neighbour took the parcel, and I have a message from that day. I was not at home.",
    "The shop sent me the wrong one in the first place. I wrote to you about it at the time.",
)

"""Photos of a case: checked, encoded anew, kept and given back."""

from serving.cases.photos.adding import LONGEST_CAPTION, MOST_PHOTOS, photograph
from serving.cases.photos.encoding import MOST_BYTES, Encoded, PhotoRefused, encode
from serving.cases.photos.repository import Photo, find, of_case

__all__ = [
    "LONGEST_CAPTION",
    "MOST_BYTES",
    "MOST_PHOTOS",
    "Encoded",
    "Photo",
    "PhotoRefused",
    "encode",
    "find",
    "of_case",
    "photograph",
]

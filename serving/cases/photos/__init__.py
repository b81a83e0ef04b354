"""Photos of a case: checked, encoded anew, kept and given back."""

from serving.cases.photos.encoding import Encoded, PhotoRefused, encode
from serving.cases.photos.repository import MOST_PHOTOS, Photo, add, find, of_case

__all__ = ["MOST_PHOTOS", "Encoded", "Photo", "PhotoRefused", "add", "encode", "find", "of_case"]

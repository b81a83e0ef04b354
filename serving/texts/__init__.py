"""What people read, in their language: one catalogue file per language, one section per area (docs/texts.md)."""

from serving.texts.catalogue import LANGUAGES, Texts, preferred_language, texts

__all__ = ["LANGUAGES", "Texts", "preferred_language", "texts"]

"""The evidence file of a case: what was asked, what happened, what was found and concluded, as PDF and as ZIP."""

from serving.cases.evidence.bundle import bundle
from serving.cases.evidence.material import KINDS, Kind, Material, NotYet, gather, note
from serving.cases.evidence.pdf import pdf

__all__ = ["KINDS", "Kind", "Material", "NotYet", "bundle", "gather", "note", "pdf"]

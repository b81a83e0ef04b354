"""The evidence file as a ZIP: the PDF, the facts, the tables, the photos, and the digests of all of them."""

from __future__ import annotations

import hashlib
import io
import zipfile

from serving.cases.evidence import facts
from serving.cases.evidence.material import Material
from serving.cases.evidence.pdf import pdf
from serving.clock import iso

MANIFEST = "SHA256SUMS"


def bundle(material: Material) -> bytes:
    """The ZIP; the same material gives the same bytes. `sha256sum -c SHA256SUMS` checks it."""
    files = {"evidence.pdf": pdf(material), "facts.json": facts.document(material), **facts.tables(material)}
    for number, each in enumerate(material.pictures, 1):
        files[facts.photo_name(number)] = each.content
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))
    files[MANIFEST] = sums.encode()
    moment = iso(material.as_of)
    stamp = (int(moment[:4]), int(moment[5:7]), int(moment[8:10]), int(moment[11:13]), int(moment[14:16]), 0)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=max(stamp, (1980, 1, 1, 0, 0, 0)))
            entry.compress_type = zipfile.ZIP_STORED if name.endswith((".jpg", ".pdf")) else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # the same on every system
            archive.writestr(entry, content)
    return out.getvalue()

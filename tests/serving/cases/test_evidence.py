"""Evidence files: what is in them for whom, and that the same content is the same file."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile

import orjson
import pytest

from features.clock import DAY
from features.ledger.sql import execute
from serving.audit.trail import of_case
from serving.cases import concluding, evidence, photos, work
from serving.cases.evidence import NotYet
from serving.cases.evidence.facts import tables
from serving.cases.evidence.material import Done, Kind, Material
from serving.cases.repository import Case
from serving.texts import LANGUAGES, texts
from tests.support.cases import ANN, BEN, DEE, LEA, Desk
from tests.support.pictures import jpeg, picture
from tests.support.words import judging_words

WORDS = "Make-up on the collar; Άννα, Жанна, 王 and العربية saw it."


@pytest.fixture
def closed(desk: Desk) -> Case:
    """A case that the desk looked at and a reviewer concluded, and that the customer disputes."""
    case = desk.open(value_minor=90_000)
    desk.do(work.view, DEE, case)
    case = desk.do(work.find, DEE, case, revision=case.revision, line_id="", finding="worn")
    for number in range(3):
        photo = photos.encode(jpeg(picture(800 + 400 * number, 900), gps=True))
        case = desk.do(photos.photograph, DEE, case, photo=photo, caption=f"Collar {number}")
    case = desk.do(work.check, DEE, case, revision=case.revision, item="tags", result="not_fine")
    case = desk.do(work.note, DEE, case, words="The neighbour, customer c5, says the same.")
    desk.pass_time(DAY)
    desk.do(work.view, ANN, case)
    return desk.do(
        concluding.close,
        ANN,
        case,
        revision=case.revision,
        hasher=desk.ledger.hasher,
        verdict="abuse_confirmed",
        basis="inspection",
        abuse_type="wardrobing",
        words=WORDS,
    )


def material(desk: Desk, case: Case, kind: Kind = "dispute", language: str = "en") -> Material:
    return desk.read(lambda conn: evidence.gather(conn, case, kind, language))


def answer(desk: Desk, case: Case) -> None:
    """An assessment with a reason that rests on other people."""
    said = {
        "risk": 0.87,
        "reasons": [
            {"code": "R02", "title": "t", "detail": "7 of 9", "facts": {"others_concerns_at_address": 3}, "check": "c"}
        ],
        "reassurances": [{"code": "A01", "title": "t", "detail": "d", "facts": {}}],
        "rights": {"basis": "withdrawal", "until": "2026-01-02", "may_refuse": False},
        "model": {"name": "returnwise-risk", "version": "3"},
        "policy_version": "2026-11",
    }
    desk.write(
        lambda conn: execute(
            conn,
            "INSERT INTO assessments (assessment_id, return_id, request_digest, order_no, requested_at, assessed_at,"
            " risk, risk_band, action, model_version, policy_version, feature_service, vector, answer)"
            " VALUES (?, ?, ?, 1, 0, 0, 0.87, 'high', 'x', '3', 'p', 's', ?, ?)",
            (case.assessment_id, case.return_id, b"", b"", orjson.dumps(said)),
        )
    )


class TestForADispute:
    def test_what_was_done_and_by_whom_without_names(self, desk: Desk, closed: Case) -> None:
        made = material(desk, closed)
        assert [(each.finding, each.who) for each in made.found] == [("worn", "desk:A")]
        assert [(each.verdict, each.basis, each.who, each.words) for each in made.decided] == [
            ("abuse_confirmed", "inspection", "reviewer:B", WORDS)
        ]
        assert [(each.item, each.name, each.result) for each in made.checked] == [
            ("tags", "Tags and seals", "not_fine")
        ]
        assert [each.photo.caption for each in made.pictures] == ["Collar 0", "Collar 1", "Collar 2"]
        assert {each.who for each in made.done} == {"system", "desk:A", "reviewer:B"}
        assert [moment.kind for moment in made.timeline.moments][-2:] == ["found", "decided"]

    def test_reasons_in_the_words_for_the_customer_and_nothing_about_others(self, desk: Desk, closed: Case) -> None:
        answer(desk, closed)
        made = material(desk, closed)
        assert made.reasons[0].words.startswith("We compared how much you return")
        files = unpacked(evidence.bundle(made))
        text = b"".join(content for name, content in files.items() if name.endswith((".json", ".csv"))).decode()
        for secret in ("others_concerns", "7 of 9", "0.87", "neighbour", "c5", "ann", "dee", "Ann", "Dee"):
            assert secret not in text.replace("channel", "")
        assert "Жанна" in text
        assert made.rights["may_refuse"] is False

    def test_a_case_in_which_nothing_has_happened(self, desk: Desk) -> None:
        made = material(desk, desk.open())
        assert (made.found, made.decided, made.pictures) == ((), (), ())
        assert evidence.pdf(made).startswith(b"%PDF-")

    def test_a_finding_that_was_taken_back_is_not_held_against_anybody(self, desk: Desk) -> None:
        case = desk.open()
        case = desk.do(work.find, DEE, case, revision=case.revision, line_id="", finding="worn")
        number = desk.table("SELECT finding_no FROM case_findings")[0][0]
        case = desk.do(work.withdraw_finding, DEE, case, revision=case.revision, finding_no=number)
        assert material(desk, case).found == ()

    def test_in_dutch(self, desk: Desk, closed: Case) -> None:
        answer(desk, closed)
        made = material(desk, closed, language="nl")
        assert made.checked[0].name == "Labels en zegels"
        assert made.reasons[0].words != material(desk, closed).reasons[0].words
        assert b"<rdf:li xml:lang" in evidence.pdf(made)


class TestReport:
    def test_the_least_that_tells_what_was_found(self, desk: Desk, closed: Case) -> None:
        answer(desk, closed)
        made = material(desk, closed, "report")
        assert (made.reasons, made.reassurances, made.disputed, made.noticed, made.versions) == ((), (), (), (), ())
        assert {each.operation for each in made.done} == {"case.find", "case.photograph", "case.check", "case.confirm"}
        files = unpacked(evidence.bundle(made))
        assert "reasons" not in orjson.loads(files["facts.json"])
        assert b"0.87" not in files["facts.json"]

    def test_nothing_is_reported_before_a_person_has_concluded(self, desk: Desk) -> None:
        with pytest.raises(NotYet):
            material(desk, desk.open(), "report")

    @pytest.mark.parametrize(("verdict", "basis"), [("cleared", None), ("inconclusive", None)])
    def test_nor_where_nothing_was_confirmed(self, desk: Desk, verdict: str, basis: str | None) -> None:
        case = desk.open()
        more = {"verdict": verdict, "basis": basis, "words": "x", "hasher": desk.ledger.hasher}
        case = desk.do(concluding.close, LEA, case, revision=case.revision, **more)
        with pytest.raises(NotYet):
            material(desk, case, "report")

    def test_nor_on_an_opinion(self, desk: Desk, closed: Case) -> None:
        desk.write(lambda conn: execute(conn, "UPDATE case_verdicts SET basis = 'opinion'"))
        with pytest.raises(NotYet):
            material(desk, closed, "report")

    def test_nor_while_it_is_disputed(self, desk: Desk, closed: Case) -> None:
        case = desk.write(lambda conn: concluding.dispute(conn, LEA, closed, now=desk.now + DAY))
        with pytest.raises(NotYet):
            material(desk, case, "report")


class TestFiles:
    @pytest.mark.parametrize("kind", evidence.KINDS)
    def test_same_content_same_bytes(self, desk: Desk, closed: Case, kind: Kind) -> None:
        first = evidence.bundle(material(desk, closed, kind))
        desk.pass_time(DAY)
        desk.write(lambda conn: evidence.note(conn, BEN, closed, kind, "zip", "0" * 64, at=desk.now))
        assert evidence.bundle(material(desk, closed, kind)) == first

    def test_the_digests_are_those_of_the_files(self, desk: Desk, closed: Case) -> None:
        files = unpacked(evidence.bundle(material(desk, closed)))
        sums = dict(line.split("  ")[::-1] for line in files.pop("SHA256SUMS").decode().splitlines())
        assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        assert {"evidence.pdf", "facts.json", "timeline.csv", "findings.csv", "audit.csv"} <= set(files)
        assert [name for name in files if name.startswith("photos/")] == [f"photos/photo-0{n}.jpg" for n in (1, 2, 3)]
        said = orjson.loads(files["facts.json"])
        assert [hashlib.sha256(files[each["file"]]).hexdigest() for each in said["photos"]] == [
            each["sha256"] for each in said["photos"]
        ]

    def test_facts_and_tables_say_the_same(self, desk: Desk, closed: Case) -> None:
        files = unpacked(evidence.bundle(material(desk, closed)))
        said = orjson.loads(files["facts.json"])
        found = list(csv.DictReader(io.StringIO(files["findings.csv"].decode())))
        assert found == [{"at": f["at"], "line_id": "", "finding": "worn", "who": "desk:A"} for f in said["findings"]]
        assert len(files["timeline.csv"].splitlines()) == len(said["timeline"]) + 1

    def test_no_cell_is_a_formula(self, desk: Desk, closed: Case) -> None:
        made = material(desk, closed)
        bad = Material(
            **{name: getattr(made, name) for name in Material.__slots__} | {"done": (Done(0, "=1+1", "@x"),)}
        )
        assert tables(bad)["audit.csv"].splitlines()[1] == b"1970-01-01T00:00:00.000000Z,'=1+1,'@x"

    @pytest.mark.parametrize("kind", evidence.KINDS)
    @pytest.mark.parametrize("language", ["en", "nl"])
    def test_the_pdf_has_title_language_outline_and_texts_for_its_pictures(
        self, desk: Desk, closed: Case, kind: Kind, language: str
    ) -> None:
        made = evidence.pdf(material(desk, closed, kind, language))
        assert f"/Lang ({language})".encode() in made
        assert b"pdfaid:part>2" in made
        assert closed.case_id.encode() in made
        assert made.count(b"/Alt ") == 3
        assert b"/Outlines" in made

    def test_many_photos_and_long_words(self, desk: Desk) -> None:
        case = desk.open()
        for number in range(9):
            photo = photos.encode(jpeg(picture(300 + number, 2000 if number % 2 else 200)))
            case = desk.do(photos.photograph, DEE, case, photo=photo, caption="long words " * 16)
        desk.write(
            lambda conn: execute(
                conn,
                "INSERT INTO disputes (dispute_id, case_no, received_at, words, digest, due_at)"
                " VALUES (?, ?, 0, ?, '', 0)",
                ("d", case.case_no, "A very long story. " * 600),
            )
        )
        assert evidence.pdf(material(desk, case)).count(b"/Alt ") == 9

    def test_the_trail_has_what_was_handed_out(self, desk: Desk, closed: Case) -> None:
        desk.write(lambda conn: evidence.note(conn, BEN, closed, "dispute", "pdf", "ab" * 32, at=desk.now))
        entry = desk.read(lambda conn: of_case(conn, closed.case_no))[-1]
        assert (entry.operation, entry.staff_id) == ("case.export", "ben")
        assert entry.content == {"kind": "dispute", "form": "pdf", "sha256": "ab" * 32}


def test_the_texts_judge_nobody() -> None:
    for language in LANGUAGES:
        t = texts(language)
        said = [
            form for key in t if key.split(".")[0] in ("evidence", "operation", "timeline") for form in t.forms(key)
        ]
        assert said
        assert not [text for text in said if judging_words(text)]


def unpacked(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        assert files.testzip() is None
        return {name: files.read(name) for name in files.namelist()}

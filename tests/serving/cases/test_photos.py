"""Photos: what is refused, and what is left of what is kept."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from features.ledger.sql import rows
from features.ledger.store import Ledger
from features.settings import Settings
from serving.audit.trail import Actor, of_case
from serving.cases import photos
from serving.cases.photos import encoding
from tests.support.pictures import GPS_IFD, bomb, jpeg, picture, saved

DESK = Actor("staff", "s1", "desk", "Somebody")


def opened(content: bytes) -> Image.Image:
    made = Image.open(io.BytesIO(content))
    made.load()
    return made


def refusal(upload: bytes) -> str:
    with pytest.raises(photos.PhotoRefused) as caught:
        photos.encode(upload)
    assert str(caught.value)
    return caught.value.code


def red(pixel: tuple[int, ...]) -> bool:
    return pixel[0] > 180 and pixel[1] < 90


class TestRefused:
    def test_empty(self) -> None:
        assert refusal(b"") == "empty"

    def test_too_many_bytes(self) -> None:
        assert refusal(jpeg() + bytes(encoding.MOST_BYTES)) == "too_large"

    @pytest.mark.parametrize(
        "upload",
        [
            b"not a picture at all",
            b"\xff\xd8\xff",
            b"%PDF-1.7\n",
            b"<svg width='1' height='1'></svg>",
            saved(picture(mode="RGB"), "GIF"),
            saved(picture(), "TIFF"),
            saved(picture(), "BMP"),
            b"GIF89a/*" + jpeg(),
        ],
    )
    def test_what_is_no_photo(self, upload: bytes) -> None:
        assert refusal(upload) == "not_a_photo"

    @pytest.mark.parametrize("side", [7_200, 10_000, 14_000])
    def test_a_bomb_is_not_unpacked(self, side: int) -> None:
        upload = bomb(side, side)
        assert len(upload) < 200_000
        assert refusal(upload) == "too_many_pixels"

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_moving_pictures(self, kind: str) -> None:
        other = picture(colour="navy")
        assert refusal(saved(picture(), kind, save_all=True, append_images=[other], duration=100)) == "animated"

    @pytest.mark.parametrize(
        "markup",
        [b"<script>alert(1)</script>", b"<ScRiPt src=x>", b"<!DOCTYPE html>", b"<svg xmlns='x'>", b"<?php phpinfo();"],
    )
    def test_markup_in_a_picture(self, markup: bytes) -> None:
        assert refusal(jpeg() + markup) == "hides_markup"
        assert refusal(jpeg(comment=markup)) == "hides_markup"

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_cut_off(self, kind: str) -> None:
        made = Image.effect_noise((300, 300), 80).convert("RGB")
        upload = saved(made, kind)
        assert refusal(upload[: len(upload) * 2 // 3]) in ("damaged", "not_a_photo")

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 2**32), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(1, 40))
    def test_whatever_is_broken_is_refused_or_is_a_picture(self, seed: int, kind: str, changes: int) -> None:
        rng = random.Random(seed)
        upload = bytearray(saved(picture(), kind))
        for _ in range(changes):
            upload[rng.randrange(len(upload))] = rng.randrange(256)
        try:
            kept = photos.encode(bytes(upload))
        except photos.PhotoRefused:
            return
        assert opened(kept.content).format == "JPEG"


class TestKept:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_it_is_a_jpeg_of_the_same_size(self, kind: str) -> None:
        kept = photos.encode(saved(picture(), kind))
        made = opened(kept.content)
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (60, 40))
        assert (kept.width, kept.height) == (60, 40)
        assert red(made.getpixel((5, 5)))

    def test_location_camera_and_comment_stay_behind(self) -> None:
        upload = jpeg(gps=True, comment=b"taken at home")
        assert opened(upload).getexif().get_ifd(GPS_IFD)
        kept = photos.encode(upload)
        for content in (kept.content, kept.thumbnail):
            made = opened(content)
            assert not dict(made.getexif())
            assert not {"exif", "comment", "icc_profile", "xmp"} & set(made.info)
            assert b"camera" not in content
            assert b"Exif" not in content

    def test_what_follows_the_picture_stays_behind(self) -> None:
        kept = photos.encode(jpeg() + b"PK\x03\x04 a whole archive")
        assert b"archive" not in kept.content

    @pytest.mark.parametrize(("orientation", "corner"), [(1, (3, 3)), (3, (56, 36)), (6, (36, 3)), (8, (3, 56))])
    def test_it_stands_as_the_camera_held_it(self, orientation: int, corner: tuple[int, int]) -> None:
        kept = photos.encode(jpeg(orientation=orientation))
        assert (kept.width, kept.height) == ((60, 40) if orientation in (1, 3) else (40, 60))
        assert red(opened(kept.content).getpixel(corner))

    @pytest.mark.parametrize("size", [(5000, 1000), (1000, 5000), (4000, 4000)])
    def test_large_ones_are_made_smaller(self, size: tuple[int, int]) -> None:
        kept = photos.encode(jpeg(picture(*size)))
        assert max(kept.width, kept.height) == encoding.LONGEST_SIDE
        assert kept.width * size[1] == pytest.approx(kept.height * size[0], rel=0.01)
        assert max(opened(kept.thumbnail).size) == encoding.THUMBNAIL_SIDE

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
    def test_every_kind_of_pixel(self, mode: str) -> None:
        made = Image.new(mode, (30, 20), 0)
        kept = photos.encode(saved(made, "JPEG" if mode == "CMYK" else "PNG"))
        assert opened(kept.content).size == (30, 20)

    def test_transparent_is_white(self) -> None:
        kept = photos.encode(saved(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG"))
        assert opened(kept.content).getpixel((9, 9)) == (255, 255, 255)

    def test_same_upload_same_bytes(self) -> None:
        assert photos.encode(jpeg(gps=True)) == photos.encode(jpeg(gps=True))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(Settings(home=tmp_path, database_url="", hash_key="a key for tests"))
    with ledger.write() as conn:
        for number in (1, 2):
            rows(
                conn,
                "INSERT INTO cases (case_no, case_id, return_id, order_no, order_id, customer_id, opened_at,"
                " opened_because, kind, reason, value_minor, expected_loss_minor, state, state_since,"
                " rests_in, due_at, due_day, revision)"
                " VALUES (?, ?, ?, 1, 'o', 'c', 0, 'hand', 'return', 'other', 1, 1, 'open', 0, 'open', 0, 0, 1)"
                " RETURNING case_no",
                (number, f"case{number}", f"r{number}"),
            )
    yield ledger
    ledger.close()


class TestRows:
    def test_a_photo_is_found_in_its_case_only(self, ledger: Ledger) -> None:
        kept = photos.encode(jpeg())
        with ledger.write() as conn:
            number = photos.add(conn, DESK, 1, kept, "  the  label ", at=5)
            assert photos.find(conn, 1, number) == (kept.content, kept.digest)
            assert photos.find(conn, 1, number, thumbnail=True) == (kept.thumbnail, kept.digest)
            assert photos.find(conn, 2, number) is None
            assert photos.of_case(conn, 2) == []
            (photo,) = photos.of_case(conn, 1)
        assert photo == photos.Photo(number, 1, "s1", 5, "the label", 60, 40, kept.digest)

    def test_the_trail_says_who_and_which_but_not_what(self, ledger: Ledger) -> None:
        kept = photos.encode(jpeg())
        with ledger.write() as conn:
            photos.add(conn, DESK, 1, kept, "words of a person", at=5)
            (entry,) = of_case(conn, 1)
        assert (entry.operation, entry.staff_id, entry.content["sha256"]) == (
            "case.photograph",
            "s1",
            kept.digest.hex(),
        )
        assert "words" not in str(entry.content)

    def test_sent_twice_kept_once(self, ledger: Ledger) -> None:
        kept = photos.encode(jpeg())
        with ledger.write() as conn:
            first = photos.add(conn, DESK, 1, kept, "", at=5)
            assert photos.add(conn, DESK, 1, kept, "again", at=6) == first
            assert photos.add(conn, DESK, 2, kept, "", at=6) != first
            assert len(photos.of_case(conn, 1)) == 1

    def test_there_is_a_most(self, ledger: Ledger) -> None:
        with ledger.write() as conn:
            for number in range(photos.MOST_PHOTOS):
                photos.add(conn, DESK, 1, photos.encode(jpeg(picture(20 + number))), "", at=number)
            with pytest.raises(ValueError, match="at most 40 photos"):
                photos.add(conn, DESK, 1, photos.encode(jpeg(picture(100))), "", at=99)
            with pytest.raises(ValueError, match="at most 200 characters"):
                photos.add(conn, DESK, 2, photos.encode(jpeg()), "x" * 201, at=99)

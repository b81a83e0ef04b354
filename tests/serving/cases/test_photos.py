"""Photos: what is refused, and what is left of what is kept."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.audit.trail import of_case
from serving.cases import photos
from serving.cases.errors import Incomplete, NotAllowed
from serving.cases.photos import encoding
from tests.support.cases import DEE, IDA, Desk
from tests.support.pictures import GPS_IFD, bomb, jpeg, picture, saved


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


class TestRows:
    def test_a_photo_is_found_in_its_case_only(self, desk: Desk) -> None:
        kept = photos.encode(jpeg())
        one, other = desk.open(0), desk.open(1)
        desk.do(photos.photograph, DEE, one, photo=kept, caption="  the  label ")
        (photo,) = desk.read(lambda conn: photos.of_case(conn, one.case_no))
        assert photo == photos.Photo(photo.photo_no, one.case_no, "dee", desk.now, "the label", 60, 40, kept.digest)
        number = photo.photo_no
        assert desk.read(lambda conn: photos.find(conn, one.case_no, number)) == (kept.content, kept.digest)
        small = desk.read(lambda conn: photos.find(conn, one.case_no, number, thumbnail=True))
        assert small == (kept.thumbnail, kept.digest)
        assert desk.read(lambda conn: photos.find(conn, other.case_no, number)) is None

    def test_the_trail_says_who_and_which_but_not_what(self, desk: Desk) -> None:
        kept = photos.encode(jpeg())
        case = desk.open()
        desk.do(photos.photograph, DEE, case, photo=kept, caption="words of a person")
        entry = desk.read(lambda conn: of_case(conn, case.case_no))[-1]
        assert (entry.operation, entry.staff_id) == ("case.photograph", "dee")
        assert entry.content["sha256"] == kept.digest.hex()
        assert "words" not in str(entry.content)

    def test_sent_twice_kept_once(self, desk: Desk) -> None:
        kept = photos.encode(jpeg())
        case = desk.open()
        for caption in ("", "again"):
            desk.do(photos.photograph, DEE, case, photo=kept, caption=caption)
        assert len(desk.read(lambda conn: photos.of_case(conn, case.case_no))) == 1
        assert desk.again(case).revision == case.revision + 1

    def test_there_is_a_most(self, desk: Desk) -> None:
        case = desk.open()
        for number in range(photos.MOST_PHOTOS):
            desk.do(photos.photograph, DEE, case, photo=photos.encode(jpeg(picture(20 + number))))
        with pytest.raises(Incomplete, match="40 already"):
            desk.do(photos.photograph, DEE, case, photo=photos.encode(jpeg(picture(100))))

    def test_a_caption_is_short(self, desk: Desk) -> None:
        with pytest.raises(Incomplete, match="more than 200"):
            desk.do(photos.photograph, DEE, desk.open(), photo=photos.encode(jpeg()), caption="x" * 201)

    def test_not_everybody_may(self, desk: Desk) -> None:
        with pytest.raises(NotAllowed):
            desk.do(photos.photograph, IDA, desk.open(), photo=photos.encode(jpeg()))

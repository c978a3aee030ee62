"""One picture, whatever its file, becomes uint8 (channels, height, width); or a person reads why not."""

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pt4al.images.decode import Frame, decode, decode_mask, look
from pt4al.images.opening import BadPicture
from support.odd_pictures import HELD, bad_files, bomb, encoded, good_files, held, photo

COLOUR = Frame(3, 64, 96)  # the size of `photo`
LINK = "https link is no picture"


def seen(image: Image.Image) -> np.ndarray:
    """Return a picture's pixels as `decode` does, by Pillow alone."""
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_picture_of_the_frames_size_keeps_its_pixels(kind):
    file = encoded(photo(), kind)
    found = decode(file, COLOUR)
    assert (found.dtype, found.shape, found.flags.c_contiguous) == (np.uint8, (3, 64, 96), True)
    np.testing.assert_array_equal(found, seen(Image.open(io.BytesIO(file))))


def test_array_is_taken_as_it_is():
    pixels = np.asarray(photo())
    np.testing.assert_array_equal(decode(pixels, COLOUR), pixels.transpose(2, 0, 1))
    np.testing.assert_array_equal(decode(pixels[:, :, 0], Frame(1, 64, 96)), pixels[None, :, :, 0])


def test_file_may_be_read_by_whoever_decodes_it(tmp_path):
    (tmp_path / "photo.png").write_bytes(encoded(photo(), "PNG"))
    np.testing.assert_array_equal(decode((tmp_path / "photo.png").read_bytes, COLOUR), seen(photo()))


def test_grey_picture_has_equal_colours_and_a_colour_picture_pillows_luminance():
    grey = photo().convert("L")
    np.testing.assert_array_equal(decode(encoded(grey, "PNG"), COLOUR), np.repeat(np.asarray(grey)[None], 3, axis=0))
    np.testing.assert_array_equal(decode(encoded(photo(), "PNG"), Frame(1, 64, 96))[0], np.asarray(grey))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", HELD)
def test_photo_is_turned_upright(kind, orientation):
    lossless = {"lossless": True} if kind == "WEBP" else {}
    file = held(photo(), orientation, kind, **lossless)
    assert look(file) == (64, 96, False)
    assert distance(decode(file, COLOUR), seen(photo())) < (6 if kind == "JPEG" else 0.01)


@pytest.mark.parametrize("orientation", HELD)
def test_huge_photo_is_turned_upright_though_read_smaller(orientation):
    large = photo(size=(751, 501)).resize((1501, 1001))
    for fit in ("crop", "letterbox"):
        frame = Frame(3, 64, 64, fit)
        assert distance(decode(held(large, orientation), frame), decode(np.asarray(large), frame)) < 4


def test_broken_exif_data_cost_nobody_a_photo():
    file = held(photo(), 6).replace(b"MM\0*", b"MM\0?")
    assert decode(file, COLOUR).shape == (3, 64, 96)


def test_sixteen_bits_become_the_nearest_grey_level_below():
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16)
    for low in (0, 255):
        found = decode(encoded(Image.fromarray(levels * 256 + low), "PNG"), Frame(1, 16, 16))
        np.testing.assert_array_equal(found[0], levels)


@pytest.mark.parametrize("white", [1.0, 255, 65535, 10**6])
def test_white_of_a_floating_point_picture_is_told_by_its_values(white):
    levels = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16) * white
    found = decode(encoded(Image.fromarray(levels.astype(np.float32)), "TIFF"), Frame(1, 16, 16))
    np.testing.assert_array_equal(found[0].ravel(), np.arange(256))


def test_picture_of_nothing_but_black_or_of_no_numbers_is_black():
    for value in (0.0, np.nan, -1.0):
        levels = np.full((4, 4), value, np.float32)
        assert not decode(encoded(Image.fromarray(levels), "TIFF"), Frame(1, 4, 4)).any()


@pytest.mark.parametrize("background", [0, 128, 255])
def test_what_is_transparent_shows_the_background(background):
    clear = photo().convert("RGBA")
    clear.putalpha(Image.fromarray(np.repeat([[0, 255]], 48, axis=1).repeat(64, axis=0).astype(np.uint8)))
    palette = photo().quantize(16)
    index = palette.getpixel((0, 0))
    for file in (encoded(clear, "PNG"), encoded(clear.convert("LA"), "PNG"), encoded(clear, "WEBP", lossless=True)):
        found = decode(file, Frame(3, 64, 96, background=background))
        assert (found[:, :, :48] == background).all()
        assert not (found[:, :, 48:] == background).all()
    found = decode(encoded(palette, "PNG", transparency=index), Frame(3, 64, 96, background=background))
    assert (found[:, np.asarray(palette) == index] == background).all()


def test_edge_of_what_is_transparent_has_no_halo_of_hidden_colours():
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, 32:] = (200, 200, 200, 255)  # the clear half hides black
    found = decode(encoded(Image.fromarray(pixels), "PNG"), Frame(1, 10, 10, background=200))
    np.testing.assert_allclose(found, 200, atol=1)


def test_cmyk_photo_has_its_colours_not_their_opposites():
    file = encoded(photo().convert("CMYK"), "JPEG", quality=95)
    assert distance(decode(file, COLOUR), seen(photo())) < 8


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_an_animation_is_shown(kind):
    first, second = Image.new("RGB", (8, 8), (250, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 250))
    found = decode(encoded(first, kind, save_all=True, append_images=[second]), Frame(3, 8, 8))
    assert found[0].min() > 240 and found[2].max() < 10


@pytest.mark.parametrize("name", good_files())
def test_odd_file_is_a_good_picture(name):
    for frame in (Frame(3, 32, 32), Frame(1, 20, 32, "letterbox")):
        assert decode(good_files()[name], frame).shape == (frame.channels, frame.height, frame.width)


@pytest.mark.parametrize("name", bad_files())
def test_bad_file_is_refused_in_words(name):
    file, reason = bad_files()[name]
    with pytest.raises(BadPicture, match=reason) as refused:
        decode(file, COLOUR)
    assert "<" not in str(refused.value).replace("<!DOCTYPE", "")  # no object's address
    with pytest.raises(BadPicture):
        decode_mask(file, COLOUR)


def test_not_a_picture_says_what_it_starts_with():
    with pytest.raises(BadPicture, match=r"not a picture \(starts with 'https link i'\)"):
        decode(LINK.encode(), COLOUR)


def test_missing_file_is_refused_in_words(tmp_path):
    for reader in (decode, decode_mask):
        with pytest.raises(BadPicture, match=r"can't be read \(No such file or directory\)"):
            reader((tmp_path / "gone.jpg").read_bytes, COLOUR)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP"])
@settings(deadline=None)
@given(place=st.floats(0, 1), bits=st.integers(1, 255))
def test_whatever_is_damaged_is_decoded_or_refused_in_words(kind, place, bits):
    file = bytearray(encoded(photo(size=(24, 16)), kind))
    file[int(place * (len(file) - 1))] ^= bits
    for broken in (bytes(file), bytes(file[: int(place * len(file))])):
        try:
            assert decode(broken, Frame(3, 16, 24)).shape == (3, 16, 24)
        except BadPicture as refused:
            assert str(refused)


def test_legal_but_large_picture_gives_no_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert look(bomb(10_000, 10_000)) == (10_000, 10_000, True)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(look, [bomb(10_000, 10_000)] * 20))
    assert caught == []


def test_crop_shows_the_centre_of_a_wide_picture():
    pixels = np.zeros((20, 60), np.uint8)
    pixels[:, 20:40] = np.arange(200, 220)
    np.testing.assert_array_equal(decode(pixels, Frame(1, 20, 20))[0], pixels[:, 20:40])


def test_crop_that_needs_no_scaling_keeps_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (28, 33), np.uint8)
    np.testing.assert_array_equal(decode(pixels, Frame(1, 28, 28))[0], pixels[:, 2:30])


@given(
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    frame=st.builds(Frame, st.just(1), st.integers(1, 40), st.integers(1, 40), st.sampled_from(["crop", "letterbox"])),
)
def test_picture_fills_the_frame_or_all_of_it_is_shown(size, frame):
    black = np.zeros(size, np.uint8)
    found, mask = decode(black, frame), decode_mask(black, frame)
    assert found.shape == (1, frame.height, frame.width)
    np.testing.assert_array_equal(found[0] == 255, mask == 255)
    if frame.fit == "crop":
        assert not found.any()
        return
    rows, columns = (~found[0].astype(bool)).any(1).sum(), (~found[0].astype(bool)).any(0).sum()
    scale = min(frame.height / size[0], frame.width / size[1])
    assert abs(rows - max(1, size[0] * scale)) <= 0.51 and abs(columns - max(1, size[1] * scale)) <= 0.51


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
def test_mask_lies_on_its_photo(fit):
    pixels = np.zeros((600, 1000), np.uint8)
    pixels[150:400, 300:620] = 1
    frame = Frame(1, 64, 64, fit, background=0)
    file = encoded(Image.fromarray(255 * pixels), "JPEG")
    shown, mask = decode(file, frame)[0] > 127, decode_mask(encoded(Image.fromarray(pixels), "PNG"), frame)
    assert (shown != (mask == 1)).mean() < 0.02
    assert (mask == 255).any() == (fit == "letterbox")


@pytest.mark.parametrize("fit", ["crop", "letterbox"])
@given(seed=st.integers(0, 1000), size=st.tuples(st.integers(1, 60), st.integers(1, 60)))
def test_masks_numbers_are_never_mixed(fit, seed, size):
    numbers = np.random.default_rng(seed).choice([0, 7, 200], size).astype(np.uint8)
    found = decode_mask(numbers, Frame(3, 16, 24, fit))
    assert set(np.unique(found)) <= {*np.unique(numbers), 255}
    assert found.shape == (16, 24) and found.dtype == np.uint8


def test_palettes_indices_are_the_classes_not_its_colours():
    numbers = np.arange(24, dtype=np.uint8).reshape(4, 6) % 5
    mask = Image.fromarray(numbers)
    mask = mask.convert("P") if mask.mode == "P" else Image.frombytes("P", (6, 4), numbers.tobytes())
    mask.putpalette(np.random.default_rng(0).integers(0, 256, 768, np.uint8).tobytes())
    for file in (encoded(mask, "PNG"), encoded(mask, "PNG", transparency=1)):
        np.testing.assert_array_equal(decode_mask(file, Frame(3, 4, 6)), numbers)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I", "I;16"])
def test_grey_mask_in_a_wider_mode_gives_its_numbers(mode):
    numbers = np.arange(24, dtype=np.uint8).reshape(4, 6)
    wide = Image.fromarray(numbers.astype(np.uint16)) if mode == "I;16" else Image.fromarray(numbers).convert(mode)
    np.testing.assert_array_equal(decode_mask(encoded(wide, "TIFF"), Frame(3, 4, 6)), numbers)


def test_mask_is_turned_upright_too():
    numbers = np.zeros((64, 96), np.uint8)
    numbers[:20, :30] = 3
    np.testing.assert_array_equal(decode_mask(held(Image.fromarray(numbers), 6, "PNG"), COLOUR), numbers)


def test_mask_in_colours_or_with_too_large_numbers_is_refused():
    with pytest.raises(BadPicture, match="colours"):
        decode_mask(encoded(photo(), "PNG"), COLOUR)
    with pytest.raises(BadPicture, match="number 300"):
        decode_mask(encoded(Image.fromarray(np.full((4, 4), 300, np.uint16)), "PNG"), Frame(3, 4, 4))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16", "P"])
def test_grey_picture_is_known_by_its_header(mode):
    grey = photo().convert("L")
    image = Image.fromarray(np.asarray(grey).astype(np.uint16)) if mode == "I;16" else grey.convert(mode)
    assert look(encoded(image, "PNG")) == (64, 96, True)
    assert look(np.asarray(grey)) == (64, 96, True)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colour_picture_is_known_by_its_header(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert look(encoded(photo().convert(mode), kind)) == (64, 96, False)


def test_look_reads_no_more_than_the_header():
    file = encoded(photo(), "PNG")
    assert look(file[:200]) == (64, 96, False)

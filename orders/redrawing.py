"""A stranger's picture drawn anew, in the drawing process (`friendpay/kit/drawer.py`). It knows nothing of Django."""

import io

from friendpay.kit import limits

_KINDS = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"), (b"GIF87a", "GIF"), (b"GIF89a", "GIF"))


def kind_of(content: bytes) -> str:
    """What its first bytes say that it is: JPEG, PNG, GIF or WEBP; "" for anything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for magic, kind in _KINDS if content.startswith(magic)), "")


def redraw(content: bytes) -> bytes:
    """A small WebP of what is seen on it, the first image of several, upright and on white: nothing of the file itself,
    no metadata, reaches anybody. ValueError says, as a reason, why there is none.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    kind = kind_of(content)
    if not kind:
        raise ValueError("not_a_picture")
    Image.MAX_IMAGE_PIXELS = limits.PICTURE_PIXELS
    side = limits.PICTURE_SIDE_PIXELS
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as opened:
            if opened.width * opened.height > limits.PICTURE_PIXELS:
                raise ValueError("too_large")
            opened.draft("RGB", (2 * side, 2 * side))  # a JPEG is decoded no larger than it takes
            seen = ImageOps.exif_transpose(opened)
            clear = seen.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in seen.info
            seen = seen.convert("RGBA" if clear else "RGB")
        seen.thumbnail((side, side), reducing_gap=2.0)
        drawn = Image.new("RGB", seen.size, "white")
        drawn.paste(seen, mask=seen if clear else None)
        file = io.BytesIO()
        drawn.save(file, "WEBP", quality=82)
    except (Image.DecompressionBombError, MemoryError):
        raise ValueError("too_large") from None
    except (UnidentifiedImageError, OSError, SyntaxError, EOFError, IndexError, TypeError, OverflowError):
        raise ValueError("not_a_picture") from None  # a broken file: what Pillow's readers are known to raise
    return file.getvalue()

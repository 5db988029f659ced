"""Makes small copies of screenshots for the public pages, with the browser that took them: no other program is needed."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

from playwright.sync_api import Page

WIDTH, MOST = 800, 22_000  # pixels; bytes a picture may have: the page shows three, and may weigh 100 KB
_SCALED = """async ([picture, width, quality]) => {
  const image = new Image();
  image.src = "data:image/png;base64," + picture;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = Math.round((image.height * width) / image.width);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/webp", quality).split(",")[1];
}"""


def write_small(blank: Page, picture: bytes, path: Path) -> None:
    """Write the PNG `picture` to `path` as WebP, `WIDTH` wide, in the best quality that stays below `MOST`.

    Args:
        blank: a page of no host, whose policy would forbid pictures from memory.

    Raises:
        ValueError: it cannot be made so small.
    """
    for quality in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        small = b64decode(blank.evaluate(_SCALED, [b64encode(picture).decode(), WIDTH, quality]))
        if len(small) <= MOST:
            path.write_bytes(small)
            return
    raise ValueError(f"{path.name} stays larger than {MOST} bytes: show less on it.")

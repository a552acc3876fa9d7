"""Real pictures for finished tasks: cut paper in layers, drawn from seed and prompt, captioned, as PNG or WebM."""

from safelight.mockserver.pictures.filming import film
from safelight.mockserver.pictures.gallery import Gallery
from safelight.mockserver.pictures.ground import fitted
from safelight.mockserver.pictures.picture import Picture, chunks
from safelight.mockserver.pictures.plain import draw_plain
from safelight.mockserver.pictures.scene import draw

__all__ = ["Gallery", "Picture", "chunks", "draw", "draw_plain", "film", "fitted"]

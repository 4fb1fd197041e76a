"""What is said of a file that is not taken: owns the sentence of each problem of a picture."""

from __future__ import annotations

from mobile.core.words import N_, Words
from mobile.ports.pictures import PictureProblem

_SENTENCES = {
    PictureProblem.EMPTY: N_("The file is empty. Choose another one."),
    PictureProblem.TYPE: N_("This is neither a picture nor a PDF. JPEG, PNG, WebP and PDF can be used."),
    PictureProblem.HEIC: N_("HEIC pictures cannot be used. Save it as JPEG, or photograph it again."),
    PictureProblem.DAMAGED: N_("The picture is damaged. Photograph it again."),
    PictureProblem.TOO_SMALL: N_("The picture is too small to be read. Go nearer and photograph it again."),
    PictureProblem.TOO_LARGE: N_("The file is too large. Photograph it again, or choose a smaller one."),
}


def picture_problem(words: Words, problem: PictureProblem) -> str:
    """What is wrong and what to do."""
    return words(_SENTENCES[problem])

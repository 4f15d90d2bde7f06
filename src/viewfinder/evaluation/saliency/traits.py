"""By what pictures of a subject are told apart: its size, its contrast, and clutter around it."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from viewfinder.datasets.formats.rgbd.reading import read_subject
from viewfinder.evaluation.looks import small_picture
from viewfinder.evaluation.saliency.judged import SaliencyJudgement
from viewfinder.evaluation.saliency.likeness import likenesses
from viewfinder.evaluation.subsets import Answered, Trait


def answered(judgement: SaliencyJudgement) -> Answered:
    """Each picture, and its S."""
    examples = judgement.examples

    def of(index: int) -> tuple[float, float, float]:
        """The subject's share; how far its mean colour lies from that around it (CIELAB); and how
        much the rest of the picture changes from pixel to pixel."""
        picture = small_picture(examples, index)
        subject = read_subject(examples, index)
        size = 100 * float(subject.mean())
        reduced = cv2.resize(
            subject.astype(np.float32), picture.shape[1::-1], interpolation=cv2.INTER_AREA
        )
        inside, outside = reduced > 0.5, reduced < 0.1
        lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        far = np.nan
        if inside.any() and outside.any():
            far = float(np.linalg.norm(lab[inside].mean(axis=0) - lab[outside].mean(axis=0)))
        across, down = (cv2.Sobel(lab[:, :, 0], cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
        busy = float(np.hypot(across, down)[outside].mean()) / 8 if outside.any() else np.nan
        return size, far, busy

    with ThreadPoolExecutor() as pool:
        size, far, busy = np.array(list(pool.map(of, range(len(examples))))).reshape(-1, 3).T
    return Answered(
        np.arange(len(examples)),
        likenesses(judgement),
        "S",
        (
            Trait("subject", ("small", "middling", "large"), " % of the picture", size),
            Trait("contrast", ("low", "middling", "high"), " ΔE", far),
            Trait("clutter", ("least", "middling", "most"), " lightness a pixel", busy),
        ),
    )

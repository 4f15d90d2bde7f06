"""Names of Python itself, Pillow, SciPy, scikit-image, scikit-learn and OpenCV."""

from viewfinder.doctor.code.row import Replacement, rows

_PYTHON = "Python 3.10 no longer has it there"
_PYTHON312 = "Python 3.12 no longer has it: ModuleNotFoundError"

OTHERS: dict[str, Replacement] = {
    **rows(
        f"{_PYTHON}: AttributeError",
        "broken",
        {
            f"collections.{name}": f"collections.abc.{name}"
            for name in (
                *("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Iterable"),
                *("Iterator", "Callable", "Hashable", "Set", "MutableSet", "Sized", "Container"),
                *("Generator", "KeysView", "ItemsView", "ValuesView", "MappingView"),
            )
        },
        "import collections.abc",
    ),
    "time.clock": Replacement("time.perf_counter", "Python 3.8 no longer has it: AttributeError"),
    "inspect.getargspec": Replacement("inspect.getfullargspec", "Python 3.11 no longer has it"),
    "imp.reload": Replacement("importlib.reload", _PYTHON312, imports="import importlib"),
    "imp": Replacement(
        "# of a file by its path: importlib.util.spec_from_file_location and module_from_spec",
        _PYTHON312,
        imports="import importlib.util",
    ),
    **{
        f"distutils.version.{name}": Replacement(
            "packaging.version.Version", _PYTHON312, imports="import packaging.version"
        )
        for name in ("LooseVersion", "StrictVersion")
    },
    "distutils.util.strtobool": Replacement(
        "({0}).lower() in ('y', 'yes', 't', 'true', 'on', '1')", _PYTHON312
    ),
    "distutils.dir_util.copy_tree": Replacement(
        "shutil.copytree({args}, dirs_exist_ok=True)", _PYTHON312, imports="import shutil"
    ),
    "distutils.spawn.find_executable": Replacement(
        "shutil.which", _PYTHON312, imports="import shutil"
    ),
    "distutils": Replacement(
        "# setuptools brings its own: pip install setuptools; or use sysconfig, shutil", _PYTHON312
    ),
    **rows(
        "Pillow 10 (2023) no longer has it: AttributeError",
        "broken",
        {
            "PIL.Image.ANTIALIAS": "Image.Resampling.LANCZOS",
            "PIL.Image.LINEAR": "Image.Resampling.BILINEAR",
            "PIL.Image.CUBIC": "Image.Resampling.BICUBIC",
        },
        "from PIL import Image",
    ),
    "PIL.PILLOW_VERSION": Replacement(
        "PIL.__version__", "Pillow 7 (2020) no longer has it: ImportError", imports="import PIL"
    ),
    **rows(
        "scipy 1.2 and 1.3 (2019) took these out: AttributeError",
        "broken",
        {
            "scipy.misc.imread": "numpy.asarray(PIL.Image.open({0}))",
            "scipy.misc.imresize": "numpy.asarray(PIL.Image.fromarray({0}).resize(({1})[:2][::-1]))"
            "   # of (height, width); a share has to be multiplied first",
            "scipy.misc.imsave": "PIL.Image.fromarray({1}).save({0})",
            "scipy.misc.toimage": "PIL.Image.fromarray({0})",
            "scipy.misc.fromimage": "numpy.asarray({0})",
        },
        "import numpy, PIL.Image",
    ),
    **rows(
        "scikit-image 0.18 (2020) no longer has it there",
        "broken",
        {
            "skimage.measure.compare_ssim": "skimage.metrics.structural_similarity",
            "skimage.measure.compare_psnr": "skimage.metrics.peak_signal_noise_ratio",
            "skimage.measure.compare_mse": "skimage.metrics.mean_squared_error",
        },
        "import skimage.metrics",
    ),
    "sklearn.externals.joblib": Replacement(
        "joblib", "scikit-learn 0.23 no longer has it", imports="import joblib"
    ),
    "sklearn.cross_validation": Replacement(
        "sklearn.model_selection",
        "scikit-learn 0.20 no longer has it",
        imports="import sklearn.model_selection",
    ),
    "cv2.dnn.readNetFromDarknet": Replacement(
        "viewfinder.open_run({1})",
        "OpenCV 5 no longer reads Darknet's files; the .cfg beside the .weights is read too",
        imports="import viewfinder",
        takes=("cfgFile", "darknetModel"),
    ),
    "cv2.xfeatures2d.SIFT_create": Replacement("cv2.SIFT_create", "OpenCV 4.4 moved it", "warning"),
    **rows(
        "OpenCV 3 no longer has it: AttributeError",
        "broken",
        {
            "cv2.CV_LOAD_IMAGE_COLOR": "cv2.IMREAD_COLOR",
            "cv2.CV_LOAD_IMAGE_GRAYSCALE": "cv2.IMREAD_GRAYSCALE",
            "cv2.CV_LOAD_IMAGE_UNCHANGED": "cv2.IMREAD_UNCHANGED",
            "cv2.cv.CV_BGR2RGB": "cv2.COLOR_BGR2RGB",
            "cv2.cv.CV_BGR2GRAY": "cv2.COLOR_BGR2GRAY",
            "cv2.cv.CV_FOURCC": "cv2.VideoWriter_fourcc",
            "cv2.cv.CV_AA": "cv2.LINE_AA",
            **{
                f"cv2.cv.CV_CAP_PROP_{name}": f"cv2.CAP_PROP_{name}"
                for name in (
                    *("FPS", "FRAME_COUNT", "FRAME_WIDTH", "FRAME_HEIGHT"),
                    *("POS_FRAMES", "POS_MSEC", "FOURCC"),
                )
            },
            "cv2.cv": "# its names stand in cv2 itself, without CV_: cv2.CAP_PROP_FPS",
        },
    ),
}
"""By the old name, in full."""

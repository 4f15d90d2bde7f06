"""Names that are gone or on their way out, and what stands in their place.

One table, a row a name. Where a name is called, the line to paste is the call itself with the new
name: `{args}` stands for all arguments, `{0}` for the first, `{1}` for the second.
"""

from dataclasses import dataclass

from viewfinder.doctor.code.remark import Level

_TORCH2 = "torch 2.0 (2023) no longer has it"
_AMP = "torch 2.4 and newer warn, since it serves all devices now"
_LINALG = "torch 1.13 to 2.0 took it out"
_NUMPY1 = "numpy 1.24 (2022) no longer has it: AttributeError"
_NUMPY2 = "numpy 2.0 (2024) no longer has it: AttributeError"
_APEX = "apex has to be compiled for each torch and CUDA; its amp is no longer kept up"
_PYTHON = "Python 3.10 no longer has it there"
_PYTHON312 = "Python 3.12 no longer has it: ModuleNotFoundError"


@dataclass(frozen=True)
class Renamed:
    """What stands in a name's place.

    Attributes:
        new: a name, or a template of what to write.
        imports: the line that the new name needs.
        takes: what the old one calls its first arguments, where a template needs to know.
    """

    new: str
    why: str
    level: Level = "broken"
    imports: str = ""
    takes: tuple[str, ...] = ()


def _rows(why: str, level: Level, names: dict[str, str], imports: str = "") -> dict[str, Renamed]:
    return {old: Renamed(new, why, level, imports) for old, new in names.items()}


TABLE: dict[str, Renamed] = {
    **_rows(
        f"{_TORCH2}: ModuleNotFoundError",
        "broken",
        {
            "torch._six.string_classes": "(str, bytes)",
            "torch._six.int_classes": "int",
            "torch._six.inf": "float('inf')",
            "torch._six.nan": "float('nan')",
            "torch._six.PY3": "True",
            "torch._six.PY37": "True",
            "torch._six": "# the module is not needed any more",
        },
    ),
    "torch._six.container_abcs": Renamed(
        "collections.abc",
        f"{_TORCH2}: ModuleNotFoundError",
        imports="import collections.abc as container_abcs",
    ),
    **_rows(
        _AMP,
        "warning",
        {
            "torch.cuda.amp.autocast": "torch.amp.autocast('cuda', {args})",
            "torch.cuda.amp.GradScaler": "torch.amp.GradScaler('cuda', {args})",
            "torch.cuda.amp.autocast_mode.autocast": "torch.amp.autocast('cuda', {args})",
            "torch.cuda.amp.grad_scaler.GradScaler": "torch.amp.GradScaler('cuda', {args})",
            "torch.cpu.amp.autocast": "torch.amp.autocast('cpu', {args})",
            "torch.cuda.amp.custom_fwd": "torch.amp.custom_fwd({args}, device_type='cuda')",
            "torch.cuda.amp.custom_bwd": "torch.amp.custom_bwd({args}, device_type='cuda')",
        },
    ),
    **_rows(
        _APEX,
        "warning",
        {
            "apex.parallel.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel"
            "({0}, device_ids=[local_rank])",
            "apex.parallel.convert_syncbn_model": "torch.nn.SyncBatchNorm.convert_sync_batchnorm"
            "({args})",
            "apex.parallel.SyncBatchNorm": "torch.nn.SyncBatchNorm",
            "apex.optimizers.FusedAdam": "torch.optim.AdamW({args}, fused=True)",
            "apex.optimizers.FusedSGD": "torch.optim.SGD({args}, fused=True)",
            "apex.normalization.FusedLayerNorm": "torch.nn.LayerNorm",
        },
    ),
    **_rows(
        "it has been the same as the function of torch since 0.4.1, and is not needed",
        "warning",
        {
            "torch.nn.functional.sigmoid": "torch.sigmoid",
            "torch.nn.functional.tanh": "torch.tanh",
        },
        "import torch",
    ),
    **_rows(
        "torch warns of it: its name with a final _ says that it changes its argument",
        "warning",
        {
            "torch.nn.utils.clip_grad_norm": "torch.nn.utils.clip_grad_norm_",
            **{
                f"torch.nn.init.{name}": f"torch.nn.init.{name}_"
                for name in (
                    *("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"),
                    *("uniform", "normal", "constant", "orthogonal", "eye", "dirac", "sparse"),
                )
            },
        },
    ),
    **_rows(
        "torch warns of it; it says how corners are aligned only if it is told",
        "warning",
        {
            "torch.nn.functional.upsample": "torch.nn.functional.interpolate",
            "torch.nn.functional.upsample_bilinear": "torch.nn.functional.interpolate"
            "({args}, mode='bilinear', align_corners=True)",
            "torch.nn.functional.upsample_nearest": "torch.nn.functional.interpolate",
        },
    ),
    **_rows(
        f"{_LINALG}: RuntimeError or AttributeError",
        "broken",
        {
            "torch.symeig": "torch.linalg.eigh({0}, UPLO='U')",
            "torch.eig": "torch.linalg.eig({0})",
            "torch.lstsq": "torch.linalg.lstsq({1}, {0}).solution   # one answer of two",
            "torch.solve": "torch.linalg.solve({1}, {0})   # the first answer of two",
            "torch.matrix_rank": "torch.linalg.matrix_rank",
        },
    ),
    **_rows(
        "torch 1.8 (2021) took it out",
        "broken",
        {
            "torch.rfft": "torch.fft.rfftn({0}, dim=…)   # the last ones; complex; "
            "with onesided=False it is fftn",
            "torch.irfft": "torch.fft.irfftn({0}, dim=…)   # the last ones; of a complex tensor",
        },
    ),
    "torch.set_default_tensor_type": Renamed(
        "torch.set_default_dtype(torch.float32); torch.set_default_device('cuda')",
        "torch 2.1 and newer warn",
        "warning",
    ),
    "apex.fp16_utils": Renamed(
        "# half precision is torch.amp.autocast's matter, the scale torch.amp.GradScaler's",
        _APEX,
        "warning",
    ),
    "torchvision.transforms.Scale": Renamed("torchvision.transforms.Resize", "it is gone"),
    "torchvision.transforms.RandomSizedCrop": Renamed(
        "torchvision.transforms.RandomResizedCrop", "it is gone"
    ),
    "torchvision.models.utils.load_state_dict_from_url": Renamed(
        "torch.hub.load_state_dict_from_url", "torchvision no longer has it", imports="import torch"
    ),
    "torchvision.models.resnet.model_urls": Renamed(
        "dict(resnet50=ResNet50_Weights.DEFAULT.url)",
        "torchvision 0.13 no longer has it",
        imports="from torchvision.models import ResNet50_Weights",
    ),
    "torchvision.transforms.functional_tensor": Renamed(
        "torchvision.transforms.functional",
        "torchvision 0.17 no longer has it",
        imports="import torchvision.transforms.functional",
    ),
    **_rows(
        _NUMPY1,
        "broken",
        {
            **{f"numpy.{name}": name for name in ("float", "int", "object", "str", "complex")},
            "numpy.unicode": "str",
        },
    ),
    **_rows(
        _NUMPY2,
        "broken",
        {
            "numpy.float_": "numpy.float64",
            "numpy.complex_": "numpy.complex128",
            "numpy.string_": "numpy.bytes_",
            "numpy.unicode_": "numpy.str_",
            "numpy.NaN": "numpy.nan",
            "numpy.NAN": "numpy.nan",
            "numpy.Inf": "numpy.inf",
            "numpy.Infinity": "numpy.inf",
            "numpy.infty": "numpy.inf",
            "numpy.PINF": "numpy.inf",
            "numpy.NINF": "-numpy.inf",
            "numpy.product": "numpy.prod",
            "numpy.cumproduct": "numpy.cumprod",
            "numpy.alltrue": "numpy.all",
            "numpy.sometrue": "numpy.any",
            "numpy.asfarray": "numpy.asarray({args}, dtype=float)",
            "numpy.asscalar": "{0}.item()",
            "numpy.issubclass_": "issubclass",
            "numpy.find_common_type": "numpy.result_type",
            "numpy.cast": "# x.astype(dtype)",
            "numpy.round_": "numpy.round",
            "numpy.bool8": "numpy.bool_",
            "numpy.cfloat": "numpy.complex128",
            "numpy.longfloat": "numpy.longdouble",
            "numpy.singlecomplex": "numpy.complex64",
            "numpy.msort": "numpy.sort({args}, axis=0)",
        },
    ),
    **_rows(
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
    "time.clock": Renamed("time.perf_counter", "Python 3.8 no longer has it: AttributeError"),
    "inspect.getargspec": Renamed("inspect.getfullargspec", "Python 3.11 no longer has it"),
    "imp.reload": Renamed("importlib.reload", _PYTHON312, imports="import importlib"),
    "imp": Renamed(
        "# of a file by its path: importlib.util.spec_from_file_location and module_from_spec",
        _PYTHON312,
        imports="import importlib.util",
    ),
    **{
        f"distutils.version.{name}": Renamed(
            "packaging.version.Version", _PYTHON312, imports="import packaging.version"
        )
        for name in ("LooseVersion", "StrictVersion")
    },
    "distutils.util.strtobool": Renamed(
        "({0}).lower() in ('y', 'yes', 't', 'true', 'on', '1')", _PYTHON312
    ),
    "distutils.dir_util.copy_tree": Renamed(
        "shutil.copytree({args}, dirs_exist_ok=True)", _PYTHON312, imports="import shutil"
    ),
    "distutils.spawn.find_executable": Renamed("shutil.which", _PYTHON312, imports="import shutil"),
    "distutils": Renamed(
        "# setuptools brings its own: pip install setuptools; or use sysconfig, shutil", _PYTHON312
    ),
    **_rows(
        "Pillow 10 (2023) no longer has it: AttributeError",
        "broken",
        {
            "PIL.Image.ANTIALIAS": "Image.Resampling.LANCZOS",
            "PIL.Image.LINEAR": "Image.Resampling.BILINEAR",
            "PIL.Image.CUBIC": "Image.Resampling.BICUBIC",
        },
        "from PIL import Image",
    ),
    "PIL.PILLOW_VERSION": Renamed(
        "PIL.__version__", "Pillow 7 (2020) no longer has it: ImportError", imports="import PIL"
    ),
    **_rows(
        "scipy 1.2 and 1.3 (2019) took these out: AttributeError",
        "broken",
        {
            "scipy.misc.imread": "numpy.asarray(PIL.Image.open({0}))",
            "scipy.misc.imresize": "numpy.asarray(PIL.Image.fromarray({0})"
            ".resize((width, height)))",
            "scipy.misc.imsave": "PIL.Image.fromarray(picture).save({0})",
            "scipy.misc.toimage": "PIL.Image.fromarray({0})",
            "scipy.misc.fromimage": "numpy.asarray({0})",
        },
        "import numpy, PIL.Image",
    ),
    **_rows(
        "scikit-image 0.18 (2020) no longer has it there",
        "broken",
        {
            "skimage.measure.compare_ssim": "skimage.metrics.structural_similarity",
            "skimage.measure.compare_psnr": "skimage.metrics.peak_signal_noise_ratio",
            "skimage.measure.compare_mse": "skimage.metrics.mean_squared_error",
        },
        "import skimage.metrics",
    ),
    "sklearn.externals.joblib": Renamed(
        "joblib", "scikit-learn 0.23 no longer has it", imports="import joblib"
    ),
    "sklearn.cross_validation": Renamed(
        "sklearn.model_selection",
        "scikit-learn 0.20 no longer has it",
        imports="import sklearn.model_selection",
    ),
    "cv2.dnn.readNetFromDarknet": Renamed(
        "viewfinder.open_run({1})",
        "OpenCV 5 no longer reads Darknet's files; the .cfg beside the .weights is read too",
        imports="import viewfinder",
        takes=("cfgFile", "darknetModel"),
    ),
    "cv2.xfeatures2d.SIFT_create": Renamed("cv2.SIFT_create", "OpenCV 4.4 moved it", "warning"),
    **_rows(
        "OpenCV 3 no longer has it: AttributeError",
        "broken",
        {
            "cv2.CV_LOAD_IMAGE_COLOR": "cv2.IMREAD_COLOR",
            "cv2.CV_LOAD_IMAGE_GRAYSCALE": "cv2.IMREAD_GRAYSCALE",
            "cv2.CV_LOAD_IMAGE_UNCHANGED": "cv2.IMREAD_UNCHANGED",
            "cv2.cv.CV_BGR2RGB": "cv2.COLOR_BGR2RGB",
        },
    ),
}


def row_of(name: str) -> tuple[str, Renamed] | None:
    """The row of a name, or of the module that it lies in, with that row's own name."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        beginning = ".".join(parts[:length])
        if beginning in TABLE:
            return beginning, TABLE[beginning]
    return None

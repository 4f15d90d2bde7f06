"""Names of torch, torchvision and apex."""

from viewfinder.doctor.code.row import Replacement, rows

_TORCH2 = "torch 2.0 (2023) no longer has it"
_AMP = "torch 2.4 and newer warn, since it serves all devices now"
_LINALG = "torch 1.13 to 2.0 took it out"
_APEX = "apex has to be compiled for each torch and CUDA; its amp is no longer kept up"
_FUSED = (
    *("adam_w_mode", "bias_correction", "set_grad_none", "capturable", "master_weights"),
    *(
        "wd_after_momentum",
        "materialize_master_grads",
        "max_grad_norm",
        "use_mt",
        "eps_inside_sqrt",
    ),
)

TORCH: dict[str, Replacement] = {
    **rows(
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
    "torch._six.container_abcs": Replacement(
        "collections.abc",
        f"{_TORCH2}: ModuleNotFoundError",
        imports="import collections.abc as container_abcs",
    ),
    **rows(
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
    **rows(
        _APEX,
        "warning",
        {
            "apex.parallel.DistributedDataParallel": "torch.nn.parallel.DistributedDataParallel"
            "({0}, device_ids=[local_rank])",
            "apex.parallel.convert_syncbn_model": "torch.nn.SyncBatchNorm.convert_sync_batchnorm"
            "({args})",
            "apex.parallel.SyncBatchNorm": "torch.nn.SyncBatchNorm",
            "apex.normalization.FusedLayerNorm": "torch.nn.LayerNorm",
        },
    ),
    "apex.optimizers.FusedAdam": Replacement(
        "torch.optim.AdamW({args}, fused=True)   # with adam_w_mode=False it is Adam",
        _APEX,
        "warning",
        drops=_FUSED,
    ),
    "apex.optimizers.FusedSGD": Replacement(
        "torch.optim.SGD({args}, fused=True)", _APEX, "warning", drops=_FUSED
    ),
    **rows(
        "it has been the same as the function of torch since 0.4.1, and is not needed",
        "warning",
        {
            "torch.nn.functional.sigmoid": "torch.sigmoid",
            "torch.nn.functional.tanh": "torch.tanh",
        },
        "import torch",
    ),
    **rows(
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
    **rows(
        "torch warns of it; it says how corners are aligned only if it is told",
        "warning",
        {
            "torch.nn.functional.upsample": "torch.nn.functional.interpolate",
            "torch.nn.functional.upsample_bilinear": "torch.nn.functional.interpolate"
            "({args}, mode='bilinear', align_corners=True)",
            "torch.nn.functional.upsample_nearest": "torch.nn.functional.interpolate",
        },
    ),
    **rows(
        f"{_LINALG}: RuntimeError or AttributeError",
        "broken",
        {
            "torch.symeig": "torch.linalg.eigh({0}, UPLO='U')",
            "torch.eig": "torch.linalg.eig({0})",
            "torch.lstsq": "torch.linalg.lstsq({1}, {0}).solution   # one answer of two",
            "torch.solve": "torch.linalg.solve({1}, {0})   # the first answer of two",
            "torch.matrix_rank": "torch.linalg.matrix_rank",
            "torch.qr": "torch.linalg.qr({0})   # with some=False it is mode='complete'",
            "torch.cholesky": "torch.linalg.cholesky({0})   # with upper=True, its .mH",
        },
    ),
    **rows(
        "torch 1.2 (2019) took it out",
        "broken",
        {
            "torch.gesv": "torch.linalg.solve({1}, {0})   # the first answer of two",
            "torch.potrf": "torch.linalg.cholesky({0})   # its .mH, as potrf gave the upper one",
            "torch.potri": "torch.cholesky_inverse({0})   # potri took the upper one: upper=True",
            "torch.potrs": "torch.cholesky_solve({args})",
            "torch.trtrs": "torch.linalg.solve_triangular({1}, {0}, upper=True)   # the first "
            "answer of two",
            "torch.btrifact": "torch.linalg.lu_factor({0})",
            "torch.btrisolve": "torch.lu_solve({args})",
        },
    ),
    **rows(
        "torch warns: it goes in a version to come",
        "warning",
        {
            "torch.range": "torch.arange({args})   # without the end, which range had",
            "torch.chain_matmul": "torch.linalg.multi_dot([{args}])",
            "torch.triangular_solve": "torch.linalg.solve_triangular({1}, {0}, upper=True)   # the "
            "first answer of two",
            "torch.lu": "torch.linalg.lu_factor({0})",
            "torch.nn.NLLLoss2d": "torch.nn.NLLLoss",
        },
    ),
    "torch.nn.functional.nll_loss2d": Replacement(
        "torch.nn.functional.nll_loss", "torch 0.4 (2018) took it out"
    ),
    **rows(
        "torch 1.9 (2021) no longer has it",
        "broken",
        {
            "torch.utils.data.dataloader.int_classes": "int",
            "torch.utils.data.dataloader.string_classes": "(str, bytes)",
            "torch.utils.data._utils.collate.int_classes": "int",
        },
    ),
    "torch.utils.data.dataloader.container_abcs": Replacement(
        "collections.abc",
        "torch 1.9 (2021) no longer has it",
        imports="import collections.abc as container_abcs",
    ),
    "torch.utils.ffi": Replacement(
        "# C and CUDA of one's own are built by torch.utils.cpp_extension; ROIAlign, nms and "
        "deformable convolutions are in torchvision.ops",
        "torch 1.0 (2018) no longer has it: ModuleNotFoundError",
    ),
    **rows(
        "torch 1.8 (2021) took it out",
        "broken",
        {
            "torch.rfft": "torch.fft.rfftn({0}, dim=…)   # the last ones; complex; "
            "with onesided=False it is fftn",
            "torch.irfft": "torch.fft.irfftn({0}, dim=…)   # the last ones; of a complex tensor",
        },
    ),
    "torch.set_default_tensor_type": Replacement(
        "torch.set_default_dtype(torch.float32); torch.set_default_device('cuda')",
        "torch 2.1 and newer warn",
        "warning",
    ),
    "apex.fp16_utils": Replacement(
        "# half precision is torch.amp.autocast's matter, the scale torch.amp.GradScaler's",
        _APEX,
        "warning",
    ),
    "torchvision.transforms.Scale": Replacement("torchvision.transforms.Resize", "it is gone"),
    "torchvision.transforms.RandomSizedCrop": Replacement(
        "torchvision.transforms.RandomResizedCrop", "it is gone"
    ),
    "torchvision.models.utils.load_state_dict_from_url": Replacement(
        "torch.hub.load_state_dict_from_url", "torchvision no longer has it", imports="import torch"
    ),
    "torchvision.models.resnet.model_urls": Replacement(
        "dict(resnet50=ResNet50_Weights.DEFAULT.url)",
        "torchvision 0.13 no longer has it",
        imports="from torchvision.models import ResNet50_Weights",
    ),
    "torchvision.transforms.functional_tensor": Replacement(
        "torchvision.transforms.functional",
        "torchvision 0.17 no longer has it",
        imports="import torchvision.transforms.functional",
    ),
}
"""By the old name, in full."""

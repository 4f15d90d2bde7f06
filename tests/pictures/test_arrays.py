"""Grids of numbers: equal to what SciPy and NumPy wrote, and hostile files end in one sentence."""

import base64
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viewfinder.errors import InputError
from viewfinder.pictures.arrays import read_array

SCIPY = [
    "O+i#lK|&xkE-)ZXK~ybfX>4U6P;6mzW^ZzBIv{Xwb7^=iAVYFxVRU6=Aa8CuAXI2|AWm;~ATl-}F*Q0eH##y",
    "kATlsAHUIzs00000000000000000000000000000000000000000000000000000000000000Bu&4*&oFF#r",
    "Gnc%0*7U|?_nVm2V=0Adyf2w;Ws8KH8FP_e|M{L&I2EdUiyRLILONo8OF09bnj;|~A;08jt`0C=3^V_;yI0m",
    "N)T%mJlAfECJT24WT<W`v5Rq!yH90BKGjPGCR>l@1WP6G}%yXoq?Tt<VD%&xFtinxOLiP<|1Fe$Wb`4JJAO0",
    "4U%Ns{",
]
KINDS = ["u1", "u2", "i2", "i4", "f4", "f8", "?"]


def grid(kind="u2", shape=(5, 7)):
    return np.random.default_rng(0).integers(0, 2 if kind == "?" else 200, shape).astype(kind)


@pytest.mark.parametrize("kind", [*KINDS, ">u2", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_npy_file_is_what_numpy_saved(tmp_path, kind, order):
    values = np.asarray(grid(kind), order=order)
    np.save(tmp_path / "a.npy", values)
    found = read_array(tmp_path / "a.npy")
    assert found.dtype == values.dtype
    assert (found == values).all()
    np.save(tmp_path / "b.npy", values[None])
    assert (read_array(tmp_path / "b.npy") == values).all()


def test_a_mat_file_is_what_scipy_saved(tmp_path):
    """Written by `scipy.io.savemat` 1.17.1: a text, and 3×4 numbers 0, 100, …, compressed."""
    (tmp_path / "a.MAT").write_bytes(base64.b85decode("".join(SCIPY)))
    found = read_array(tmp_path / "a.MAT")
    assert found.dtype == np.float64
    assert (found == np.arange(12.0).reshape(3, 4) * 100).all()


def element(kind, data):
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(values, name=b"depth"):
    flags = element(6, struct.pack("<II", 11, 0))
    sides = element(5, struct.pack("<ii", *values.shape))
    return element(14, flags + sides + element(1, name) + element(4, values.T.tobytes()))


def mat(*elements):
    return b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + b"".join(elements)


def packed(data):
    data = zlib.compress(data)
    return struct.pack("<II", 15, len(data)) + data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n", "version 7.3 .*'-v7'"),
        (b"\0" * 300, "no MAT-file of version 5 to 7"),
        (mat(), "no matrix"),
        (mat(matrix(grid()), matrix(grid())), "more than one matrix"),
        (mat(matrix(grid())[:-9]), "ends early"),
        (mat(packed(matrix(grid())[:-16])), "ends early"),
        (mat(element(14, matrix(grid())[8:60])), "damaged"),
        (mat(packed(struct.pack("<II", 14, 0xFFFFFFFF))), "too large"),
        (mat(element(15, b"no zlib")), "damaged"),
        (
            mat(matrix(grid()).replace(struct.pack("<ii", 5, 7), struct.pack("<ii", -5, -7))),
            "sides",
        ),
        (mat(matrix(grid()).replace(struct.pack("<ii", 5, 7), struct.pack("<ii", 5, 9))), "sides"),
    ],
)
def test_a_mat_file_that_is_none_is_one_sentence(tmp_path, data, says):
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(InputError, match=f"a\\.mat .*{says}"):
        read_array(tmp_path / "a.mat")


def test_the_files_made_here_are_read(tmp_path):
    for data in (mat(matrix(grid())), mat(packed(matrix(grid())))):
        (tmp_path / "a.mat").write_bytes(data)
        assert (read_array(tmp_path / "a.mat") == grid()).all()


def test_an_npy_file_that_is_no_map_is_one_sentence(tmp_path):
    file = tmp_path / "a.npy"
    for values, says in (
        (np.zeros((4, 4, 3)), "4×4×3"),
        (np.float64(3), "a single number"),
        (np.zeros((3, 3), complex), "complex128"),
        (np.array([["a"]]), "<U1"),
        (np.zeros((0, 4)), "0×4"),
    ):
        np.save(file, values)
        with pytest.raises(InputError, match=says):
            read_array(file)
    np.save(file, np.array([[object()]]), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects"):
        read_array(file)
    np.save(file, grid())
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="cut short"):
        read_array(file)
    file.write_bytes(whole.replace(b"(5, 7)", b"(9**9)"))
    with pytest.raises(InputError, match="damaged"):
        read_array(file)
    file.write_bytes(whole.replace(b"(5, 7), }     ", b"(5, 7000000)} "))
    with pytest.raises(InputError, match=r"damaged|cut short"):
        read_array(file)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(["npy", "mat", "packed.mat"]))
def test_damaged_bytes_are_read_or_refused(tmp_path, data, name):
    file = tmp_path / f"a.{name}"
    if name == "npy":
        np.save(file, grid())
        whole = bytearray(file.read_bytes())
    else:
        whole = bytearray(mat(packed(matrix(grid())) if "packed" in name else matrix(grid())))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        assert read_array(file).ndim == 2
    except InputError as error:
        assert str(file) in str(error)  # noqa: PT017

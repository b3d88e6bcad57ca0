import time
from pathlib import Path

import pytest

from napari_medadv.dicom.signature import Anchors, sign_files, verify_files
from tests.dicom.signature.signed_files import Authority, ct, written

SLICES = 300


@pytest.mark.benchmark
def test_signing_a_series_takes_ten_milliseconds_a_slice_at_most(
    authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = written(ct(512))
    paths = []
    for index in range(SLICES):
        path = tmp_path / f"{index:03}.dcm"
        path.write_bytes(data)
        paths.append(path)
    start, used = time.perf_counter(), time.process_time()
    out = sign_files(paths, authority.leaf, tmp_path / "signed")
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    start = time.perf_counter()
    anchors = Anchors((authority.root.certificate,), (authority.between.certificate,))
    assert verify_files(out, anchors).passed
    checked = time.perf_counter() - start
    with capsys.disabled():
        print(
            f"\nsigning {SLICES} slices of 512 x 512: {1e3 * wall / SLICES:.2f} ms a slice ({1e3 * cpu / SLICES:.2f} ms CPU), "
            f"verifying: {1e3 * checked / SLICES:.2f} ms a slice"
        )
    assert 1e3 * wall / SLICES <= 10

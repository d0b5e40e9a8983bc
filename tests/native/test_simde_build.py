"""Where SIMDe's headers are not installed, CMake names the cure and the tests run without them."""

from pathlib import Path

from tests.support.native_builds import build_with_simde, configure_with_simde

# CMake looks for headers below a folder that does not exist.
WITHOUT_PACKAGES = ("-DCMAKE_FIND_ROOT_PATH=/nonexistent", "-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY")
REASON = (
    "instruction sets that this CPU lacks are not tested: libsimde-dev is not installed (`make test-deps` installs it)"
)


def test_cmake_names_the_package(tmp_path: Path) -> None:
    configured = configure_with_simde(tmp_path, *WITHOUT_PACKAGES)
    assert configured.returncode != 0
    message = " ".join(configured.stderr.split())
    assert "MBNN_SIMDE needs SIMDe's headers. Cure: on Debian or Ubuntu 'apt-get install libsimde-dev'." in message


def test_the_tests_are_told_why(tmp_path: Path) -> None:
    assert build_with_simde(tmp_path, *WITHOUT_PACKAGES) == REASON


def test_headers_that_were_removed_since_the_last_build_are_missed(tmp_path: Path) -> None:
    header = tmp_path / "include" / "simde" / "x86" / "avx512.h"
    header.parent.mkdir(parents=True)
    header.touch()
    folder = tmp_path / "build"
    configured = configure_with_simde(folder, *WITHOUT_PACKAGES, f"-DSIMDE_INCLUDE={tmp_path / 'include'}")
    assert configured.returncode == 0, configured.stderr
    header.unlink()
    assert build_with_simde(folder, *WITHOUT_PACKAGES) == REASON

"""The Java classes on this machine with a real TensorFlow Lite: JUnit's tests, by Maven."""

import re
import sys
from pathlib import Path

import pytest

from tests.android.java_classes import PROJECT, maven
from tests.support.maven import artifact, unpacked

pytestmark = pytest.mark.slow

JAR = "5c02ff25114b4f69d0b79473135f3bb731f8ff4dd5cc5e1d0595e501c867071a"
LEAST_TESTS = 20


def test_junit_passes(jni_libraries: Path, cases: Path, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("TensorFlow Lite's library is one for Linux")
    jar = artifact("org.bytedeco", "tensorflow-lite", "2.19.0-1.5.12", "linux-x86_64", "jar", JAR)
    runtime = unpacked(jar, "org/bytedeco/tensorflowlite/linux-x86_64/libjnitensorflowlite.so", tmp_path)
    given = {"mbnn.native": jni_libraries / "host", "mbnn.runtime": runtime, "mbnn.cases": cases}
    done = maven("test", *(f"-D{name}={value}" for name, value in given.items()))
    assert done.returncode == 0, done.stdout[-4000:]
    reports = sorted((PROJECT / "library/target/surefire-reports").glob("*.txt"))
    counts = [re.search(r"Tests run: (\d+), Failures: 0, Errors: 0, Skipped: 0", each.read_text()) for each in reports]
    assert sum(int(count[1]) for count in counts if count) >= LEAST_TESTS

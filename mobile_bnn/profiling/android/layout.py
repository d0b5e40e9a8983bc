"""Where things lie on a phone: everything below one folder, so that removing it removes all."""

from mobile_bnn import __version__

BASE = "/data/local/tmp/mobile_bnn"  # of /data/local/tmp, as adb's user may run programs there and nowhere else
FILES = f"{BASE}/files"  # models and inputs, each named after its SHA-256
PROGRAMS = f"{BASE}/{__version__}"
LOCK = f"{BASE}/lock"

RUNNER = "mobile_bnn_runner"
DELEGATE = "libmobile_bnn_delegate.so"
TFLITE = "libtensorflowlite_jni.so"

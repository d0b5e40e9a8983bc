package org.mobilebnn;

/** Loads libmobile_bnn_jni.so, once. */
final class NativeLibrary {
    private static final String NAME = "mobile_bnn_jni";

    static {
        try {
            System.loadLibrary(NAME);
        } catch (UnsatisfiedLinkError error) {
            UnsatisfiedLinkError clear = new UnsatisfiedLinkError(
                "the native library " + NAME + " cannot be loaded (" + error.getMessage()
                    + "): mobile_bnn runs on arm64-v8a and x86_64, whose libraries must be in the app");
            clear.initCause(error);
            throw clear;
        }
    }

    private NativeLibrary() {
    }

    /** Does nothing, but that the first call loads the library. */
    static void load() {
    }
}

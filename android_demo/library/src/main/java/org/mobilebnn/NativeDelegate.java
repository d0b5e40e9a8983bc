package org.mobilebnn;

/** The delegate's native functions; tests run them elsewhere by overriding them. */
class NativeDelegate {
    /** Returns the address of a delegate; {@code isa} null: the best of this CPU. */
    native long create(int threads, String isa);

    native void destroy(long delegate);

    native String version();

    native String kernel();

    /** The functions of this process. */
    static NativeDelegate here() {
        NativeLibrary.load();
        return new NativeDelegate();
    }
}

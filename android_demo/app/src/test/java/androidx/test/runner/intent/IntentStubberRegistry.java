package androidx.test.runner.intent;

/** Stubs no intent; see {@link androidx.test.platform.app.InstrumentationRegistry}. */
public final class IntentStubberRegistry {
    private IntentStubberRegistry() {}

    public static boolean isLoaded() {
        return false;
    }

    public static IntentStubber getInstance() {
        throw new IllegalStateException("no intent is stubbed");
    }
}

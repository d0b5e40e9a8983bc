package androidx.test.runner.intent;

/** See {@link androidx.test.platform.app.InstrumentationRegistry}. */
public interface IntentMonitor {}

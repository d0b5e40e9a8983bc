package androidx.test.runner.lifecycle;

/** See {@link androidx.test.platform.app.InstrumentationRegistry}. */
public interface ApplicationLifecycleMonitor {}

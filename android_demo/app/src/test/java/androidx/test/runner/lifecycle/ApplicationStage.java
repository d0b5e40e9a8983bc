package androidx.test.runner.lifecycle;

/** Of the app; see {@link androidx.test.platform.app.InstrumentationRegistry}. */
public enum ApplicationStage { PRE_ON_CREATE, CREATED }

package androidx.test.runner.intent;

import android.app.Instrumentation;
import android.content.Intent;

/** See {@link androidx.test.platform.app.InstrumentationRegistry}. */
public interface IntentStubber {
    Instrumentation.ActivityResult getActivityResultForIntent(Intent intent);
}

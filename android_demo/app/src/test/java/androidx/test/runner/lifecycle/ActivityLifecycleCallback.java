package androidx.test.runner.lifecycle;

import android.app.Activity;

/** See {@link androidx.test.platform.app.InstrumentationRegistry}. */
public interface ActivityLifecycleCallback {
    void onActivityLifecycleChanged(Activity activity, Stage stage);
}

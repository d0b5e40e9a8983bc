package org.mobilebnn.demo;

import static org.robolectric.Shadows.shadowOf;

import android.content.res.Configuration;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Insets;
import android.os.Bundle;
import android.os.Looper;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.View;
import android.view.WindowInsets;
import android.widget.TextView;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.function.BooleanSupplier;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;

/** The app on a phone of the size and language that a test asks for. */
final class Demo implements AutoCloseable {
    static final String PORTRAIT = "w412dp-h892dp-port-xhdpi";
    static final String LANDSCAPE = "w892dp-h412dp-land-xhdpi";

    private static final int STATUS_BAR = 48;
    private static final int NAVIGATION_BAR = 48;
    private static final long PATIENCE_MS = 60_000;

    final ActivityController<MainActivity> controller;

    /**
     * Starts the app.
     *
     * @param qualifiers such as "+de-night"; on top of a phone in portrait
     */
    Demo(String qualifiers) {
        this(qualifiers, null);
    }

    /**
     * Starts the app where it was left.
     *
     * @param kept what Android kept of it; null for nothing
     */
    Demo(String qualifiers, Bundle kept) {
        RuntimeEnvironment.setQualifiers(PORTRAIT);
        RuntimeEnvironment.setQualifiers(qualifiers);
        controller = Robolectric.buildActivity(MainActivity.class);
        if (kept == null) {
            controller.setup();
        } else {
            controller.setup(kept);
        }
        layOut();
    }

    /** What a test does with the app in each theme. */
    interface Visit {
        void go(Demo demo) throws IOException;
    }

    /** Starts the app by day, then by night, in English. */
    static void byDayAndNight(Visit visit) {
        for (String theme : new String[] {"+en-notnight", "+en-night"}) {
            try (Demo demo = new Demo(theme)) {
                visit.go(demo);
            } catch (IOException broken) {
                throw new AssertionError(broken);
            }
        }
    }

    MainActivity activity() {
        return controller.get();
    }

    <T extends View> T view(int id) {
        T view = activity().findViewById(id);
        if (view == null) {
            throw new AssertionError("no view " + activity().getResources().getResourceEntryName(id));
        }
        return view;
    }

    boolean shows(int id) {
        View view = activity().findViewById(id);
        return view != null && view.isShown();
    }

    String text(int id) {
        return this.<TextView>view(id).getText().toString();
    }

    void click(int id) {
        View view = view(id);
        if (!view.isShown() || !view.isEnabled() || !view.performClick()) {
            throw new AssertionError("cannot be clicked: " + activity().getResources().getResourceEntryName(id));
        }
        idle();
    }

    /** Turns the phone, or changes its language or theme, step by step: Android makes the activity anew. */
    void become(String... qualifiers) {
        for (String each : qualifiers) {
            RuntimeEnvironment.setQualifiers(each);
        }
        controller.configurationChange(
                activity().getApplication().getResources().getConfiguration(),
                activity().getApplication().getResources().getDisplayMetrics());
        controller.visible();
        layOut();
    }

    /** What a test looks at in each form of the screen. */
    interface Look {
        void at();
    }

    /** Upright and turned, in both languages, by day and night; ends upright in English by day. */
    void inEveryForm(Look look) {
        for (String size : new String[] {LANDSCAPE, PORTRAIT}) {
            for (String rest : new String[] {"+de-night", "+de-notnight", "+en-night", "+en-notnight"}) {
                become(size, rest);
                look.at();
            }
        }
    }

    /** Gives the window bars, as Android does, and lays it out. */
    void layOut() {
        idle();
        View decor = activity().getWindow().getDecorView();
        WindowInsets insets = new WindowInsets.Builder()
                .setInsets(WindowInsets.Type.statusBars(), Insets.of(0, STATUS_BAR, 0, 0))
                .setInsets(WindowInsets.Type.navigationBars(), Insets.of(0, 0, 0, NAVIGATION_BAR))
                .build();
        view(R.id.root).dispatchApplyWindowInsets(insets);
        int width = activity().getResources().getDisplayMetrics().widthPixels;
        int height = activity().getResources().getDisplayMetrics().heightPixels;
        decor.measure(
                View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY),
                View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY));
        decor.layout(0, 0, width, height);
        idle();
    }

    static void idle() {
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** Lets the app's threads work until something holds. */
    static void until(String what, BooleanSupplier holds) {
        long end = System.currentTimeMillis() + PATIENCE_MS;
        idle();
        while (!holds.getAsBoolean()) {
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("waited in vain until " + what);
            }
            try {
                Thread.sleep(5);
            } catch (InterruptedException interrupted) {
                throw new AssertionError(interrupted);
            }
            idle();
        }
    }

    /** Moves a finger over the drawing area: x, y, x, y, ... as shares of its side. */
    void draw(float... points) {
        View canvas = view(R.id.canvas);
        long began = SystemClock.uptimeMillis();
        for (int i = 0; i < points.length; i += 2) {
            int action = i == 0 ? MotionEvent.ACTION_DOWN : MotionEvent.ACTION_MOVE;
            touch(canvas, began, action, points[i], points[i + 1]);
        }
        touch(canvas, began, MotionEvent.ACTION_UP, points[points.length - 2], points[points.length - 1]);
        idle();
    }

    private static void touch(View view, long began, int action, float x, float y) {
        MotionEvent event = MotionEvent.obtain(
                began, SystemClock.uptimeMillis(), action, x * view.getWidth(), y * view.getHeight(), 0);
        view.dispatchTouchEvent(event);
        event.recycle();
    }

    /** Keeps what the screen shows, for people to look at, and looks for what they would find wrong. */
    void screenshot(String name) {
        layOut();
        View decor = activity().getWindow().getDecorView();
        Bitmap bitmap = Bitmap.createBitmap(decor.getWidth(), decor.getHeight(), Bitmap.Config.ARGB_8888);
        decor.draw(new Canvas(bitmap));
        String full = name + suffix(activity().getResources().getConfiguration());
        File folder = new File(System.getProperty("mbnn.screenshots"));
        folder.mkdirs();
        try (OutputStream stream = new FileOutputStream(new File(folder, full + ".png"))) {
            bitmap.compress(Bitmap.CompressFormat.PNG, 100, stream);
        } catch (IOException broken) {
            throw new AssertionError(broken);
        }
        Looks.check(full, view(R.id.root), bitmap);
    }

    private static String suffix(Configuration now) {
        boolean night = (now.uiMode & Configuration.UI_MODE_NIGHT_MASK) == Configuration.UI_MODE_NIGHT_YES;
        boolean wide = now.orientation == Configuration.ORIENTATION_LANDSCAPE;
        String language = now.getLocales().get(0).getLanguage();
        return (wide ? "-landscape" : "") + (night ? "-night" : "-day") + (language.equals("en") ? "" : "-" + language);
    }

    @Override
    public void close() {
        if (!activity().isDestroyed()) {
            controller.pause().stop().destroy();
        }
    }
}

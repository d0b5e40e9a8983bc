package org.mobilebnn.demo.screen;

import android.content.Intent;
import android.os.Bundle;
import android.view.LayoutInflater;
import android.view.View;
import android.view.ViewGroup;
import org.mobilebnn.demo.MainActivity;

/** One of the app's screens. It lives from the moment when it is shown until another one is, or the activity ends. */
public abstract class Screen {
    /** Where it is shown. */
    protected final MainActivity activity;
    private ViewGroup parent;

    Screen(MainActivity activity) {
        this.activity = activity;
    }

    /** Makes its views in `parent`, from what {@link #save} left, which is empty the first time. */
    public final void show(ViewGroup newParent, Bundle state) {
        parent = newParent;
        create(state);
    }

    /** Makes the views. */
    abstract void create(Bundle state);

    /** Keeps what a rotation must not lose. */
    public void save(Bundle state) {}

    /** The user can see it, from now on. */
    public void start() {}

    /** The user cannot see it any more: whatever is costly ends. */
    public void stop() {}

    /** Another network was chosen. */
    public void onModelChosen() {}

    /** The user has answered whether the camera may be used. */
    public void onPermission(boolean granted) {}

    /** Another app has brought something back. */
    public void onResult(int request, Intent data) {}

    /** Puts a layout into the screen, in the place of what was there. */
    final View inflate(int layout) {
        return put(LayoutInflater.from(activity).inflate(layout, parent, false));
    }

    /** Says what went wrong, in the place of what was there. */
    public void showProblem(Problem problem) {
        put(MessageView.of(parent, problem));
    }

    private View put(View view) {
        parent.removeAllViews();
        parent.addView(view);
        return view;
    }
}

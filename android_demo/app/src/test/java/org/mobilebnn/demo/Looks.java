package org.mobilebnn.demo;

import android.graphics.Bitmap;
import android.graphics.Rect;
import android.text.Layout;
import android.view.View;
import android.view.ViewGroup;
import android.view.ViewParent;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.ScrollView;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Looks over a screen for what would keep people from using it: text that is cut or too pale (WCAG 2.1, 1.4.3), targets
 * that are smaller than a finger, and what TalkBack could not name.
 */
final class Looks {
    private static final double LEAST_CONTRAST = 4.5;
    private static final int TOUCH_DP = 48;

    private final int[] pixels;
    private final int across;
    private final View root;
    private final float density;
    private final List<String> faults = new ArrayList<>();

    private Looks(View root, Bitmap picture) {
        this.root = root;
        across = picture.getWidth();
        pixels = new int[across * picture.getHeight()];
        picture.getPixels(pixels, 0, across, 0, 0, across, picture.getHeight());
        density = root.getResources().getDisplayMetrics().density;
    }

    /** Fails with all that is wrong on a screen that was drawn into a picture. */
    static void check(String name, View root, Bitmap picture) {
        Looks looks = new Looks(root, picture);
        looks.visit(root);
        if (!looks.faults.isEmpty()) {
            throw new AssertionError(name + ":\n" + String.join("\n", looks.faults));
        }
    }

    private void visit(View view) {
        if (view.getVisibility() != View.VISIBLE) {
            return;
        }
        Rect seen = new Rect();
        boolean whole = view.getGlobalVisibleRect(seen)
                && seen.width() == view.getWidth() && seen.height() == view.getHeight();
        if (view.isClickable()) {
            checkTarget(view);
        }
        checkName(view);
        if (view instanceof TextView && ((TextView) view).length() > 0) {
            checkCut((TextView) view);
            if (whole) {
                checkContrast((TextView) view, seen);
            } else if (!scrolls(view)) {
                fault(view, "does not fit into its place: " + ((TextView) view).getText());
            }
        }
        if (view instanceof ViewGroup) {
            ViewGroup group = (ViewGroup) view;
            for (int i = 0; i < group.getChildCount(); i++) {
                visit(group.getChildAt(i));
            }
        }
    }

    /** Whether the rest of a view can be scrolled to. */
    private static boolean scrolls(View view) {
        for (ViewParent at = view.getParent(); at != null; at = at.getParent()) {
            if (at instanceof ScrollView) {
                return true;
            }
        }
        return false;
    }

    private void checkTarget(View view) {
        int least = Math.round(TOUCH_DP * density);
        if (view.getWidth() < least || view.getHeight() < least) {
            fault(view, "is " + view.getWidth() / density + " x " + view.getHeight() / density + " dp, too small to touch");
        }
    }

    private void checkName(View view) {
        boolean plain = view.getClass() == View.class || view instanceof ProgressBar; // lines, and what says its percentage
        boolean told = view.isClickable() || !(view instanceof ViewGroup || plain);
        if (told && importantToTalkBack(view) && name(view).isEmpty()) {
            // An empty text is not read, and an empty picture not seen.
            boolean empty = view instanceof TextView
                    || (view instanceof ImageView && ((ImageView) view).getDrawable() == null);
            if (!empty || view.isClickable()) {
                fault(view, "has no name for TalkBack");
            }
        }
    }

    private static boolean importantToTalkBack(View view) {
        int important = view.getImportantForAccessibility();
        return important != View.IMPORTANT_FOR_ACCESSIBILITY_NO
                && important != View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS;
    }

    /** What TalkBack says of a view: its description, its text, or what is in it. */
    private static String name(View view) {
        if (view.getContentDescription() != null) {
            return view.getContentDescription().toString();
        }
        if (view instanceof TextView) {
            return ((TextView) view).getText().toString();
        }
        StringBuilder names = new StringBuilder();
        if (view instanceof ViewGroup) {
            ViewGroup group = (ViewGroup) view;
            for (int i = 0; i < group.getChildCount(); i++) {
                names.append(name(group.getChildAt(i)));
            }
        }
        return names.toString();
    }

    private void checkCut(TextView view) {
        Layout layout = view.getLayout();
        if (layout == null) {
            fault(view, "is not laid out");
            return;
        }
        int width = view.getWidth() - view.getCompoundPaddingLeft() - view.getCompoundPaddingRight();
        int height = view.getHeight() - view.getCompoundPaddingTop() - view.getCompoundPaddingBottom();
        int end = 0;
        for (int i = 0; i < layout.getLineCount(); i++) {
            boolean cut = layout.getEllipsisCount(i) > 0 || layout.getLineMax(i) > width + 1;
            if (cut) {
                fault(view, "is cut: " + view.getText());
            }
            end = layout.getLineBottom(i);
        }
        if (end > height + 1) {
            fault(view, "has lines below its edge: " + view.getText());
        }
        int[] place = new int[2];
        view.getLocationInWindow(place);
        if (place[0] < 0 || place[0] + view.getWidth() > root.getWidth()) {
            fault(view, "is beside the screen: " + view.getText());
        }
    }

    private void checkContrast(TextView view, Rect seen) {
        double contrast = contrast(view.getCurrentTextColor(), ground(seen));
        if (contrast < LEAST_CONTRAST) {
            fault(view, String.format("has a contrast of %.2f: %s", contrast, view.getText()));
        }
    }

    /** The colour that most of a rectangle's pixels have. */
    private int ground(Rect place) {
        Map<Integer, Integer> counts = new HashMap<>();
        int most = 0;
        for (int y = place.top; y < place.bottom; y += 2) { // every fourth pixel will do
            for (int x = place.left; x < place.right; x += 2) {
                int color = pixels[y * across + x];
                int count = counts.merge(color, 1, Integer::sum);
                most = count > counts.getOrDefault(most, 0) ? color : most;
            }
        }
        return most;
    }

    /** WCAG's contrast of two opaque colours, 1 to 21. */
    static double contrast(int one, int other) {
        double first = luminance(one);
        double second = luminance(other);
        return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
    }

    private static double luminance(int color) {
        return 0.2126 * linear(color >> 16 & 0xff) + 0.7152 * linear(color >> 8 & 0xff) + 0.0722 * linear(color & 0xff);
    }

    private static double linear(int channel) {
        double share = channel / 255.0;
        return share <= 0.04045 ? share / 12.92 : Math.pow((share + 0.055) / 1.055, 2.4);
    }

    private void fault(View view, String what) {
        String id = view.getId() == View.NO_ID ? "" : " " + view.getResources().getResourceEntryName(view.getId());
        faults.add(view.getClass().getSimpleName() + id + " " + what);
    }
}

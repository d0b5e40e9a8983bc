package org.mobilebnn.demo;

import android.app.Activity;
import android.graphics.Insets;
import android.os.Build;
import android.view.View;
import android.view.WindowInsets;

/**
 * Draws behind the system's bars, as Android 15 makes every app do, and keeps what is touched and read away from them.
 *
 * <p>Below, and beside the navigation, the surface goes on under the bars; cutouts and bars at the sides move the rest.
 */
final class EdgeToEdge {
    private EdgeToEdge() {}

    @SuppressWarnings("deprecation") // what Android 8 to 10 have
    static void apply(Activity activity) {
        View root = activity.findViewById(R.id.root);
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            activity.getWindow().setDecorFitsSystemWindows(false);
        } else {
            int light = root.getSystemUiVisibility();
            root.setSystemUiVisibility(
                    light
                            | View.SYSTEM_UI_FLAG_LAYOUT_STABLE
                            | View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN
                            | View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION);
        }
        boolean rail = activity.getResources().getBoolean(R.bool.rail);
        View navigation = activity.findViewById(R.id.navigation_area);
        View bar = activity.findViewById(R.id.top_bar);
        View opening = activity.findViewById(R.id.opening);
        View content = activity.findViewById(R.id.content);
        int barStart = bar.getPaddingStart();
        int barEnd = bar.getPaddingEnd();
        root.setOnApplyWindowInsetsListener((view, insets) -> {
            int[] sides = sides(insets);
            boolean rightToLeft = view.getLayoutDirection() == View.LAYOUT_DIRECTION_RTL;
            int left = rail && !rightToLeft ? 0 : sides[0];
            int right = rail && rightToLeft ? 0 : sides[2];
            int start = rightToLeft ? right : left;
            bar.setPaddingRelative(barStart + start, sides[1], barEnd + left + right - start, 0);
            opening.setPaddingRelative(barStart + start, 0, barStart + left + right - start, 0);
            content.setPadding(left, 0, right, rail ? sides[3] : 0);
            if (rail) {
                navigation.setPadding(rightToLeft ? 0 : sides[0], sides[1], rightToLeft ? sides[2] : 0, sides[3]);
            } else {
                navigation.setPadding(sides[0], 0, sides[2], sides[3]);
            }
            return insets;
        });
    }

    /** Left, top, right, bottom. */
    @SuppressWarnings("deprecation") // what Android 8 to 10 have
    private static int[] sides(WindowInsets insets) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            Insets all = insets.getInsets(WindowInsets.Type.systemBars() | WindowInsets.Type.displayCutout());
            return new int[] {all.left, all.top, all.right, all.bottom};
        }
        return new int[] {
            insets.getSystemWindowInsetLeft(),
            insets.getSystemWindowInsetTop(),
            insets.getSystemWindowInsetRight(),
            insets.getSystemWindowInsetBottom()
        };
    }
}

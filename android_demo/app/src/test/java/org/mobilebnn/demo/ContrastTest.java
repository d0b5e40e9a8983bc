package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.graphics.Color;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;

/** The colours of both themes tell what is drawn from its ground: WCAG 2.1, 4.5 : 1 for text, 3 : 1 for icons and bars. */
@RunWith(RobolectricTestRunner.class)
public final class ContrastTest {
    private static final int[] GROUNDS = {R.color.background, R.color.surface};

    private static int color(int id) {
        Context context = RuntimeEnvironment.getApplication();
        return context.getColor(id);
    }

    private static void check(String theme, int color, int ground, double least) {
        double contrast = Looks.contrast(color, ground);
        String what = String.format("%s: #%06x on #%06x: %.2f", theme, color & 0xffffff, ground & 0xffffff, contrast);
        assertTrue(what, contrast >= least);
    }

    /** What a colour that is partly transparent makes of the one behind it. */
    private static int over(int above, int below) {
        double share = Color.alpha(above) / 255.0;
        int red = (int) Math.round(share * Color.red(above) + (1 - share) * Color.red(below));
        int green = (int) Math.round(share * Color.green(above) + (1 - share) * Color.green(below));
        int blue = (int) Math.round(share * Color.blue(above) + (1 - share) * Color.blue(below));
        return Color.rgb(red, green, blue);
    }

    @Test
    public void isMeasuredAsByTheRecommendation() {
        assertEquals(21, Looks.contrast(Color.BLACK, Color.WHITE), 1e-9);
        assertEquals(1, Looks.contrast(Color.RED, Color.RED), 1e-9);
        assertEquals(4.48, Looks.contrast(0xff777777, Color.WHITE), 0.005); // the grey that just fails
    }

    @Test
    public void isEnoughInBothThemes() {
        for (String theme : new String[] {"notnight", "night"}) {
            RuntimeEnvironment.setQualifiers("+" + theme);
            for (int ground : GROUNDS) {
                for (int text : new int[] {R.color.ink, R.color.ink_soft, R.color.accent, R.color.good, R.color.bad}) {
                    check(theme, color(text), color(ground), 4.5);
                }
                check(theme, color(R.color.bar_float), color(ground), 3);
                check(theme, color(R.color.bar_int8), color(ground), 3);
            }
            check(theme, color(R.color.on_accent), color(R.color.accent), 4.5);
            check(theme, color(R.color.accent), color(R.color.accent_soft), 4.5);
            check(theme, color(R.color.ink_soft), color(R.color.sunken), 4.5);
            for (int behind : new int[] {Color.BLACK, Color.WHITE}) { // whatever the camera sees
                int pill = over(color(R.color.scrim), behind);
                check(theme, color(R.color.ink), pill, 4.5);
                check(theme, color(R.color.ink_soft), pill, 3);
                check(theme, color(R.color.accent), pill, 3);
            }
        }
    }
}

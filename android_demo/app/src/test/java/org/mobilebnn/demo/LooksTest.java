package org.mobilebnn.demo;

import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.view.View;
import android.widget.FrameLayout;
import android.widget.ImageButton;
import android.widget.TextView;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;

/** Faults that {@link Looks} must find, one at a time; without one it finds none. */
@RunWith(RobolectricTestRunner.class)
public final class LooksTest {
    private static final int SIDE = 400;

    private final Context context = RuntimeEnvironment.getApplication();

    private void look(View view, int width, int height) {
        FrameLayout root = new FrameLayout(context);
        root.setBackgroundColor(Color.WHITE);
        root.addView(view, new FrameLayout.LayoutParams(width, height));
        int exact = View.MeasureSpec.makeMeasureSpec(SIDE, View.MeasureSpec.EXACTLY);
        root.measure(exact, exact);
        root.layout(0, 0, SIDE, SIDE);
        Bitmap picture = Bitmap.createBitmap(SIDE, SIDE, Bitmap.Config.ARGB_8888);
        root.draw(new Canvas(picture));
        Looks.check("test", root, picture);
    }

    private void finds(String fault, View view, int width, int height) {
        AssertionError error = assertThrows(AssertionError.class, () -> look(view, width, height));
        assertTrue(error.getMessage(), error.getMessage().contains(fault));
        assertTrue("alone: " + error.getMessage(), error.getMessage().lines().count() == 2);
    }

    private TextView text(int color) {
        TextView view = new TextView(context);
        view.setText("A sentence of several words");
        view.setTextColor(color);
        view.setSingleLine(false);
        return view;
    }

    private ImageButton button(String name) {
        ImageButton view = new ImageButton(context);
        view.setImageResource(R.drawable.ic_open);
        view.setContentDescription(name);
        return view;
    }

    @Test
    public void findsNothingWhereNothingIsWrong() {
        look(text(Color.BLACK), SIDE, SIDE);
        look(button("Open"), SIDE, SIDE);
    }

    @Test
    public void findsTextThatIsTooPale() {
        finds("has a contrast of 4.42", text(0xff787878), SIDE, SIDE);
    }

    @Test
    public void findsTextThatIsCut() {
        finds("has lines below its edge", text(Color.BLACK), 60, 30);
        TextView line = text(Color.BLACK);
        line.setSingleLine(true);
        line.setEllipsize(android.text.TextUtils.TruncateAt.END);
        finds("is cut", line, 60, 60);
    }

    @Test
    public void findsTargetsThatAreTooSmall() {
        float density = context.getResources().getDisplayMetrics().density;
        finds("too small to touch", button("Open"), Math.round(47 * density), Math.round(48 * density));
        look(button("Open"), Math.round(48 * density), Math.round(48 * density));
    }

    @Test
    public void findsWhatHasNoName() {
        finds("has no name for TalkBack", button(null), SIDE, SIDE);
    }
}

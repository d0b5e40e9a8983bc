package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.AlertDialog;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.drawable.BitmapDrawable;
import android.os.Bundle;
import android.os.Parcel;
import android.view.View;
import android.widget.ImageView;
import android.widget.ListAdapter;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.view.DrawingView;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.shadows.ShadowAlertDialog;

/** A finger draws digits, and the network that comes with the app names them. */
@RunWith(RobolectricTestRunner.class)
public final class DrawScreenTest {
    static final float[] ONE = {0.42f, 0.3f, 0.47f, 0.26f, 0.52f, 0.2f, 0.52f, 0.4f, 0.52f, 0.6f, 0.52f, 0.8f};
    static final float[] SEVEN = {0.3f, 0.2f, 0.5f, 0.2f, 0.7f, 0.2f, 0.6f, 0.45f, 0.5f, 0.65f, 0.42f, 0.85f};

    static float[] circle(float x, float y, float radiusX, float radiusY) {
        float[] points = new float[2 * 33];
        for (int i = 0; i <= 32; i++) {
            double angle = 2 * Math.PI * i / 32 - Math.PI / 2;
            points[2 * i] = (float) (x + radiusX * Math.cos(angle));
            points[2 * i + 1] = (float) (y + radiusY * Math.sin(angle));
        }
        return points;
    }

    /** A 6, in one stroke. */
    static float[] six() {
        float[] points = new float[2 * 34];
        points[0] = 0.6f;
        points[1] = 0.2f;
        for (int i = 0; i <= 32; i++) {
            double angle = Math.PI * (-0.9 + 2.1 * i / 32);
            points[2 + 2 * i] = (float) (0.5 + 0.16 * Math.cos(angle));
            points[3 + 2 * i] = (float) (0.65 + 0.16 * Math.sin(angle));
        }
        return points;
    }

    private static void name(Demo demo, String digit, float[]... strokes) {
        demo.click(R.id.clear);
        assertEquals("", demo.text(R.id.prediction));
        for (float[] stroke : strokes) {
            demo.draw(stroke);
        }
        Demo.until("it is named " + digit, () -> demo.text(R.id.prediction).equals(digit));
        assertTrue(demo.text(R.id.latency), demo.text(R.id.latency).endsWith("ms"));
    }

    @Test
    public void saysWhatToDraw() {
        Demo.byDayAndNight(demo -> {
            Demo.until("the network is open", () -> demo.text(R.id.hint).equals("Draw a digit"));
            demo.screenshot("draw-empty");
        });
    }

    @Test
    public void namesWhatAFingerDraws() {
        try (Demo demo = new Demo("+en")) {
            name(demo, "0", circle(0.5f, 0.5f, 0.2f, 0.3f));
            name(demo, "7", SEVEN);
            name(demo, "1", ONE);
            name(demo, "6", six());
        }
    }

    @Test
    public void namesClothesByTheNetworkThatIsChosen() {
        float[] trousers = {
            0.36f, 0.1f, 0.64f, 0.1f, 0.68f, 0.5f, 0.7f, 0.92f, 0.55f, 0.92f, 0.52f, 0.6f, 0.5f, 0.35f, 0.48f, 0.6f, 0.45f,
            0.92f, 0.3f, 0.92f, 0.32f, 0.5f, 0.36f, 0.1f,
        };
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.model);
            AlertDialog dialog = ShadowAlertDialog.getLatestAlertDialog();
            ListAdapter networks = dialog.getListView().getAdapter();
            int wanted = 0;
            while (!networks.getItem(wanted).toString().equals("resnet20 · fashion_mnist")) {
                wanted++;
            }
            shadowOf(dialog.getListView()).performItemClick(wanted);
            Demo.until("it asks for clothes", () -> demo.text(R.id.hint).equals("Draw a piece of clothing"));
            demo.draw(trousers);
            Demo.until("it is named", () -> demo.text(R.id.prediction).equals("Trouser"));
            demo.screenshot("draw-clothes");
        }
    }

    @Test
    public void takesAStrokeBack() {
        try (Demo demo = new Demo("+en")) {
            name(demo, "0", circle(0.5f, 0.5f, 0.2f, 0.3f));
            DrawingView canvas = demo.view(R.id.canvas);
            demo.draw(0.1f, 0.1f, 0.9f, 0.9f);
            assertEquals(2, canvas.strokes().size());
            demo.click(R.id.undo);
            assertEquals(1, canvas.strokes().size());
            demo.click(R.id.undo);
            assertTrue(canvas.isEmpty());
            assertEquals("", demo.text(R.id.prediction));
        }
    }

    @Test
    public void showsThePixelsThatTheNetworkSees() {
        try (Demo demo = new Demo("+en")) {
            name(demo, "7", SEVEN);
            ImageView seen = demo.view(R.id.seen);
            BitmapDrawable pixels = (BitmapDrawable) seen.getDrawable();
            assertEquals(8, pixels.getBitmap().getWidth());
            assertEquals(8, pixels.getBitmap().getHeight());
            assertNotEquals(pixels.getBitmap().getPixel(5, 0), pixels.getBitmap().getPixel(0, 7));
        }
    }

    @Test
    public void keepsTheDrawingWhenTurned() {
        try (Demo demo = new Demo("+en")) {
            name(demo, "0", circle(0.5f, 0.5f, 0.2f, 0.3f));
            MainActivity before = demo.activity();
            demo.become(Demo.LANDSCAPE);
            assertNotEquals(before, demo.activity());
            assertFalse(demo.<DrawingView>view(R.id.canvas).isEmpty());
            demo.inEveryForm(() -> {
                Demo.until("it is named again", () -> demo.text(R.id.prediction).equals("0"));
                demo.screenshot("draw");
            });
        }
    }

    @Test
    public void drawsNoMoreThanAndroidKeeps() {
        try (Demo demo = new Demo("+en")) {
            DrawingView canvas = demo.view(R.id.canvas);
            float[] scribble = new float[2 * 4000];
            for (int i = 0; i < scribble.length; i += 2) {
                scribble[i] = i % 4 == 0 ? 0.1f : 0.9f;
                scribble[i + 1] = (float) i / scribble.length;
            }
            for (int stroke = 0; stroke < 12; stroke++) {
                demo.draw(scribble);
            }
            Bundle state = new Bundle();
            canvas.save(state);
            Parcel parcel = Parcel.obtain();
            parcel.writeBundle(state);
            assertTrue(parcel.dataSize() + " bytes", parcel.dataSize() < 300_000); // of 1 MB that all apps share
            assertTrue(parcel.dataSize() + " bytes", parcel.dataSize() > 200_000); // and not for lack of a drawing
            parcel.recycle();
        }
    }

    @Test
    public void readsFromRightToLeft() {
        try (Demo demo = new Demo("+ar")) {
            assertEquals(View.LAYOUT_DIRECTION_RTL, demo.view(R.id.root).getLayoutDirection());
            name(demo, "7", SEVEN);
            int middle = demo.view(R.id.root).getWidth() / 2;
            int[] place = new int[2];
            demo.view(R.id.open).getLocationInWindow(place);
            assertTrue("the folder is at the end", place[0] < middle);
            demo.view(R.id.title).getLocationInWindow(place);
            int edge = demo.view(R.id.root).getWidth() - place[0] - demo.view(R.id.title).getWidth();
            int margin = demo.activity().getResources().getDimensionPixelSize(R.dimen.gap_large);
            assertEquals("the title keeps its distance from the edge", margin, edge);
            demo.screenshot("draw");
            View bars = demo.view(R.id.bars);
            Bitmap picture = Bitmap.createBitmap(bars.getWidth(), bars.getHeight(), Bitmap.Config.ARGB_8888);
            bars.draw(new Canvas(picture));
            int accent = demo.activity().getColor(R.color.accent);
            int first = picture.getWidth();
            int last = 0;
            for (int x = 0; x < picture.getWidth(); x++) {
                for (int y = 0; y < picture.getHeight(); y++) {
                    if (picture.getPixel(x, y) == accent) {
                        first = Math.min(first, x);
                        last = Math.max(last, x);
                    }
                }
            }
            assertTrue("the bar begins beside the name", picture.getWidth() - last < first);
        }
    }

    @Test
    public void speaksGermanAtNight() {
        try (Demo demo = new Demo("+de-night")) {
            assertEquals("Zeichnen", demo.text(R.id.title));
            name(demo, "7", SEVEN);
            assertTrue(demo.text(R.id.latency), demo.text(R.id.latency).contains(",")); // 0,123 ms
            demo.screenshot("draw-seven");
            int night = demo.activity().getColor(R.color.background);
            demo.become("+en-notnight");
            assertEquals("Draw", demo.text(R.id.title));
            assertNotEquals(night, demo.activity().getColor(R.color.background));
            Demo.until("it is named again", () -> demo.text(R.id.prediction).equals("7"));
        }
    }
}

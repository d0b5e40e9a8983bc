package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.os.Bundle;
import android.os.Parcel;
import android.view.ViewGroup;
import android.widget.CheckBox;
import java.io.IOException;
import java.nio.file.Paths;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.view.DrawingView;
import org.robolectric.RobolectricTestRunner;

/** Android ends the app in the background for want of memory, and starts it again where the user left it. */
@RunWith(RobolectricTestRunner.class)
public final class RestorationTest {
    /** What Android kept of the app: as bytes, outside its process. */
    private static byte[] ended(Demo demo) {
        Bundle state = new Bundle();
        demo.controller.pause().stop().saveInstanceState(state);
        Parcel parcel = Parcel.obtain();
        parcel.writeBundle(state);
        byte[] bytes = parcel.marshall();
        parcel.recycle();
        demo.controller.destroy();
        ((TestApplication) demo.activity().getApplication()).forget();
        return bytes;
    }

    private static Bundle kept(byte[] bytes) {
        Parcel parcel = Parcel.obtain();
        parcel.unmarshall(bytes, 0, bytes.length);
        parcel.setDataPosition(0);
        Bundle state = parcel.readBundle(RestorationTest.class.getClassLoader());
        parcel.recycle();
        return state;
    }

    @Test
    public void showsTheDrawingAndTheNetworkAgain() throws IOException {
        byte[] state;
        byte[] mine = java.nio.file.Files.readAllBytes(
                Paths.get(System.getProperty("mbnn.cases"), "binary_lenet-digits", "model.tflite"));
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.open);
            Files.choose(demo, "mine.tflite", mine);
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("it is named", () -> demo.text(R.id.prediction).equals("7"));
            state = ended(demo);
        }
        try (Demo demo = new Demo("+en", kept(state))) {
            assertEquals("mine.tflite", demo.text(R.id.model));
            assertEquals(1, demo.<DrawingView>view(R.id.canvas).strokes().size());
            Demo.until("it is named again", () -> demo.text(R.id.prediction).equals("7"));
        }
    }

    @Test
    public void showsTheSameScreenWithWhatWasChosen() {
        byte[] state;
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            ((ViewGroup) demo.view(R.id.threads)).getChildAt(2).performClick();
            state = ended(demo);
        }
        try (Demo demo = new Demo("+de-night", kept(state))) {
            assertEquals("Messen", demo.text(R.id.title));
            ViewGroup threads = demo.view(R.id.threads);
            assertTrue(((CheckBox) threads.getChildAt(1)).isChecked());
            assertTrue("it was chosen not to be", !((CheckBox) threads.getChildAt(2)).isChecked());
        }
    }
}

package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.os.Bundle;
import android.os.Parcel;
import android.view.ViewGroup;
import android.widget.CheckBox;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.view.DrawingView;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;

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

    @Test
    public void showsAndSharesWhatWasMeasured() throws IOException {
        byte[] state;
        String record;
        try (Demo demo = new Demo("+en")) {
            BenchmarkScreenTest.chooseOne(demo);
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.shows(R.id.share));
            record = BenchmarkScreenTest.shared(demo);
            state = ended(demo);
        }
        try (Demo demo = new Demo("+en", kept(state))) {
            assertEquals("Bit for bit as recorded", demo.text(R.id.parity));
            assertEquals(record, BenchmarkScreenTest.shared(demo));
        }
    }

    @Test
    @Config(application = TestApplication.Thorough.class)
    public void showsWhatWasMeasuredBeforeAndroidEndedIt() throws IOException {
        byte[] state;
        byte[] measured;
        Path file = RuntimeEnvironment.getApplication().getNoBackupFilesDir().toPath().resolve("benchmark");
        try (Demo demo = new Demo("+en")) {
            BenchmarkScreenTest.chooseOne(demo);
            demo.click(R.id.start);
            Demo.until("a round is over", () -> java.nio.file.Files.exists(file));
            measured = java.nio.file.Files.readAllBytes(file);
            demo.click(R.id.start); // Android would end the thread, too
            Demo.until("it has stopped", () -> demo.text(R.id.start).equals("Start"));
            state = ended(demo);
        }
        java.nio.file.Files.write(file, measured);
        try (Demo demo = new Demo("+en", kept(state))) {
            assertTrue(demo.shows(R.id.share));
            assertTrue(demo.text(R.id.faster), demo.text(R.id.faster).contains("as fast as float"));
            state = ended(demo);
        }
        java.nio.file.Files.write(file, Arrays.copyOf(measured, measured.length / 2)); // of a storage that is broken
        try (Demo demo = new Demo("+en", kept(state))) {
            assertFalse(demo.shows(R.id.share));
            assertEquals("Start", demo.text(R.id.start));
        }
    }
}

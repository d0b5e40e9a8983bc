package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.content.Intent;
import android.net.Uri;
import android.view.View;
import android.view.ViewGroup;
import android.widget.CheckBox;
import android.widget.ScrollView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.network.ModelEntry;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowToast;

/** Measures real networks on this PC, looks at the results, and shares the record; test.py reads that by mbnn. */
@RunWith(RobolectricTestRunner.class)
public final class BenchmarkScreenTest {
    private static void uncheck(Demo demo, int group, String title) {
        ViewGroup chips = demo.view(group);
        for (int i = 0; i < chips.getChildCount(); i++) {
            CheckBox chip = (CheckBox) chips.getChildAt(i);
            if (chip.getText().toString().equals(title)) {
                assertTrue(chip.isChecked());
                chip.performClick();
                return;
            }
        }
        throw new AssertionError("no chip " + title);
    }

    /** Chooses ResNet-20 for digits alone, with one thread. */
    static void chooseOne(Demo demo) {
        demo.click(R.id.benchmark);
        for (ModelEntry entry : demo.activity().store().entries()) {
            if (!entry.id.equals("resnet20-digits")) {
                uncheck(demo, R.id.networks, entry.fullTitle());
            }
        }
        uncheck(demo, R.id.threads, "2");
        uncheck(demo, R.id.threads, "4");
    }

    private static void measure(Demo demo) {
        demo.click(R.id.start);
        assertEquals("Stop", demo.text(R.id.start));
        Demo.until("it has ended", () -> demo.text(R.id.start).equals("Start"));
        assertTrue(demo.shows(R.id.share));
    }

    static String shared(Demo demo) throws IOException {
        demo.click(R.id.share);
        Intent chooser = shadowOf(demo.activity()).getNextStartedActivity();
        Intent send = chooser.getParcelableExtra(Intent.EXTRA_INTENT);
        assertEquals(Intent.ACTION_SEND, send.getAction());
        assertTrue((send.getFlags() & Intent.FLAG_GRANT_READ_URI_PERMISSION) != 0);
        Uri uri = send.getParcelableExtra(Intent.EXTRA_STREAM);
        try (InputStream stream = demo.activity().getContentResolver().openInputStream(uri)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void keep(String name, String json) throws IOException {
        Path folder = Paths.get(System.getProperty("mbnn.exports"));
        java.nio.file.Files.createDirectories(folder);
        java.nio.file.Files.write(folder.resolve(name), json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    public void measuresAndShares() throws IOException, JSONException {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            uncheck(demo, R.id.threads, "4");
            measure(demo);
            String record = shared(demo);
            keep("first.json", record);
            JSONArray measurements = new JSONObject(record).getJSONArray("measurements");
            int networks = demo.activity().store().entries().size();
            assertTrue(networks + " networks", networks >= 3);
            assertEquals("three engines, two numbers of threads", networks * 3 * 2, measurements.length());
            for (int i = 0; i < measurements.length(); i++) {
                JSONObject each = measurements.getJSONObject(i);
                assertTrue(each.getDouble("median_ms") > 0);
                assertTrue(each.getDouble("p90_ms") >= each.getDouble("median_ms"));
                assertEquals(2, each.getJSONArray("rounds").length());
                assertEquals(each.getInt("runs"), each.getJSONArray("latencies_ms").length());
                boolean ours = each.getString("engine").equals("delegate");
                String runtime = "tensorflow-lite 2.19.0"; // of tools/android/host_runtime.py, not the APK's
                String expected = ours ? demo.activity().opener().version() : runtime;
                assertEquals(expected, each.getString("engine_version"));
            }
            assertEquals("Bit for bit as recorded", demo.text(R.id.parity));
            look(demo);
            measure(demo);
            keep("second.json", shared(demo));
        }
    }

    private static void look(Demo demo) {
        demo.screenshot("benchmark");
        scroll(demo, R.id.chart);
        demo.screenshot("benchmark-results");
        ScrollView all = demo.view(R.id.scroll);
        all.scrollTo(0, all.getChildAt(0).getHeight());
        demo.screenshot("benchmark-device");
    }

    private static void scroll(Demo demo, int id) {
        View to = demo.view(id);
        int y = 0;
        for (View at = to; at.getId() != R.id.scroll; at = (View) at.getParent()) {
            y += at.getTop();
        }
        demo.<ScrollView>view(R.id.scroll).scrollTo(0, Math.max(0, y - 400));
    }

    @Test
    public void keepsResultsWhenTurnedAndAtNight() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            uncheck(demo, R.id.networks, "binary_lenet · digits");
            uncheck(demo, R.id.threads, "2");
            uncheck(demo, R.id.threads, "4"); // more than this PC may have free
            measure(demo);
            demo.become(Demo.LANDSCAPE);
            assertTrue(demo.text(R.id.faster), demo.text(R.id.faster).contains("as fast as float"));
            demo.inEveryForm(() -> {
                assertTrue(demo.shows(R.id.share));
                scroll(demo, R.id.chart);
                demo.screenshot("benchmark-results");
            });
            demo.become(Demo.PORTRAIT, "+de-night");
            look(demo);
        }
    }

    @Test
    public void saysThatThereIsNoRoomForTheRecord() throws IOException {
        try (Demo demo = new Demo("+en")) {
            chooseOne(demo);
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.shows(R.id.share));
            Path folder = demo.activity().getCacheDir().toPath().resolve("exports");
            java.nio.file.Files.write(folder, new byte[0]); // a file where the folder should be: nothing can be written
            demo.click(R.id.share);
            assertEquals("The storage is full: there is no room for the record", ShadowToast.getTextOfLatestToast());
            assertNull(shadowOf(demo.activity()).getNextStartedActivity());
            java.nio.file.Files.delete(folder);
            assertTrue(shared(demo).contains("measurements"));
        }
    }

    @Test
    @Config(application = TestApplication.WithoutRuntime.class)
    public void saysThatNothingCouldBeMeasured() {
        Demo.byDayAndNight(demo -> {
            demo.click(R.id.benchmark);
            uncheck(demo, R.id.threads, "2");
            uncheck(demo, R.id.threads, "4");
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.text(R.id.start).equals("Start"));
            String failures = demo.text(R.id.failures);
            String what = "resnet20, binary, 1 thread; resnet20, float, 1 thread; resnet20, int8, 1 thread";
            String once = what + " could not be measured: no TensorFlow Lite library can be used: ";
            assertTrue(failures, failures.startsWith(once));
            assertEquals(failures, 1, failures.lines().count());
            demo.screenshot("benchmark-failed");
        });
    }

    @Test
    @Config(application = TestApplication.Thorough.class)
    public void goesOnWhileTurned() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            uncheck(demo, R.id.threads, "2");
            uncheck(demo, R.id.threads, "4");
            demo.click(R.id.start);
            Demo.until("it measures", () -> !demo.text(R.id.step).isEmpty());
            demo.inEveryForm(() -> {
                assertEquals(demo.activity().getString(R.string.bench_stop), demo.text(R.id.start));
                assertTrue(demo.shows(R.id.progress));
                demo.screenshot("benchmark-running");
            });
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.text(R.id.start).equals("Start"));
        }
    }

    /** Measures a file of the user's alone; returns what its badge says. */
    private static String badge(byte[] model) {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.open);
            Files.choose(demo, "mine.tflite", model);
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
            demo.click(R.id.benchmark);
            for (ModelEntry entry : demo.activity().store().entries()) {
                if (!entry.own()) {
                    uncheck(demo, R.id.networks, entry.fullTitle());
                }
            }
            uncheck(demo, R.id.threads, "2");
            uncheck(demo, R.id.threads, "4");
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.shows(R.id.share) && demo.text(R.id.start).equals("Start"));
            return demo.text(R.id.parity);
        }
    }

    /** The model with another letter in the base64 of its recorded outputs, which are the file's last text. */
    private static byte[] changed(byte[] model, int letter) {
        byte[] before = "\"outputs\":[\"".getBytes(StandardCharsets.US_ASCII);
        byte[] copy = model.clone();
        for (int at = 0; at < model.length - before.length; at++) {
            if (Arrays.equals(Arrays.copyOfRange(model, at, at + before.length), before)) {
                int place = at + before.length + letter;
                copy[place] = (byte) (copy[place] == '8' ? '9' : '8');
                return copy;
            }
        }
        throw new AssertionError("the model records no outputs");
    }

    @Test
    public void comparesAFileOfTheUsersWithItsOwnRecord() throws IOException {
        Path folder = Paths.get(System.getProperty("mbnn.cases"), "resnet20-digits");
        byte[] model = java.nio.file.Files.readAllBytes(folder.resolve("model.tflite"));
        assertEquals("Bit for bit as recorded", badge(model));
        String close = badge(changed(model, 0)); // in the lowest bits of a float
        assertTrue(close, close.startsWith("Same class, differs by "));
        assertEquals("Not what was recorded", badge(changed(model, 4))); // in its exponent
        byte[] without = java.nio.file.Files.readAllBytes(folder.resolve("binary.tflite"));
        assertEquals("No outputs recorded in the file", badge(without));
    }

    @Test
    public void measuresNothingWithoutAChoice() {
        Demo.byDayAndNight(demo -> {
            demo.click(R.id.benchmark);
            demo.screenshot("benchmark-setup");
            for (String threads : new String[] {"1", "2", "4"}) {
                assertTrue(demo.view(R.id.start).isEnabled());
                uncheck(demo, R.id.threads, threads);
            }
            assertFalse(demo.view(R.id.start).isEnabled());
            demo.screenshot("benchmark-nothing-chosen");
        });
    }
}

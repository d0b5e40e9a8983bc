package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.content.Intent;
import android.net.Uri;
import android.view.View;
import android.view.ViewGroup;
import android.widget.CheckBox;
import android.widget.ScrollView;
import android.widget.TextView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;

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

    private static void measure(Demo demo) {
        demo.click(R.id.start);
        assertEquals("Stop", demo.text(R.id.start));
        Demo.until("it has ended", () -> demo.text(R.id.start).equals("Start"));
        assertTrue(demo.shows(R.id.share));
    }

    private static String shared(Demo demo) throws IOException {
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
            demo.screenshot("benchmark-setup-day");
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
            }
            assertEquals("Bit for bit as recorded", demo.text(R.id.parity));
            look(demo, "day");
            measure(demo);
            keep("second.json", shared(demo));
        }
    }

    private static void look(Demo demo, String theme) {
        demo.screenshot("benchmark-" + theme);
        scroll(demo, R.id.chart);
        demo.screenshot("benchmark-results-" + theme);
        demo.<ScrollView>view(R.id.scroll).fullScroll(View.FOCUS_DOWN);
        demo.screenshot("benchmark-device-" + theme);
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
            demo.become("+night");
            assertTrue(demo.shows(R.id.share));
            look(demo, "night");
            demo.become(Demo.LANDSCAPE);
            assertTrue(demo.shows(R.id.share));
            demo.screenshot("benchmark-landscape-day");
            TextView faster = demo.view(R.id.faster);
            assertTrue(faster.getText().toString(), faster.getText().toString().contains("as fast as float"));
        }
    }

    @Test
    public void goesOnWhileTurned() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            uncheck(demo, R.id.threads, "2");
            uncheck(demo, R.id.threads, "4");
            demo.click(R.id.start);
            demo.become(Demo.LANDSCAPE);
            assertEquals("Stop", demo.text(R.id.start));
            assertTrue(demo.shows(R.id.progress));
            demo.click(R.id.start);
            Demo.until("it has ended", () -> demo.text(R.id.start).equals("Start"));
        }
    }

    @Test
    public void measuresNothingWithoutAChoice() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.benchmark);
            for (String threads : new String[] {"1", "2", "4"}) {
                assertTrue(demo.view(R.id.start).isEnabled());
                uncheck(demo, R.id.threads, threads);
            }
            assertFalse(demo.view(R.id.start).isEnabled());
        }
    }
}

package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.network.ModelStore;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** Files of the user's: whatever they are, a clear message, and the app goes on. */
@RunWith(RobolectricTestRunner.class)
public final class OpenFileTest {
    private static byte[] model(String name) throws IOException {
        Path path = Paths.get(System.getProperty("mbnn.cases"), name, "model.tflite");
        return java.nio.file.Files.readAllBytes(path);
    }

    private static void open(Demo demo, String name, byte[] content) {
        demo.click(R.id.open);
        Files.choose(demo, name, content);
    }

    private static void says(Demo demo, String title, String part) {
        Demo.until(
                "it says: " + title + " of " + part,
                () -> demo.shows(R.id.message)
                        && demo.text(R.id.message_title).equals(title)
                        && demo.text(R.id.message_text).contains(part));
    }

    @Test
    public void runsANetworkOfTheUsers() throws IOException {
        try (Demo demo = new Demo("+en")) {
            open(demo, "mine.tflite", model("binary_lenet-digits"));
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
            Demo.until("it is asked for digits", () -> demo.text(R.id.hint).equals("Draw a digit"));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("it is named", () -> demo.text(R.id.prediction).equals("7"));
        }
    }

    @Test
    public void saysThatAFileIsCorrupt() throws IOException {
        try (Demo demo = new Demo("+en")) {
            byte[] cut = Arrays.copyOf(model("resnet20-digits"), 40_000);
            open(demo, "cut.tflite", cut);
            says(demo, "Not a network that can be run", "cut.tflite");
            demo.screenshot("error-corrupt-day");
            open(demo, "letter.pdf", "not a network".getBytes("UTF-8"));
            says(demo, "Not a network that can be run", "letter.pdf");
            demo.click(R.id.message_second);
            assertEquals("resnet20 · digits", demo.text(R.id.model));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("the app's own network runs again", () -> demo.text(R.id.prediction).equals("7"));
        }
    }

    @Test
    public void saysThatANetworkDoesNotNamePictures() throws IOException {
        try (Demo demo = new Demo("+en-night")) {
            open(demo, "detector.tflite", model("quicknet_small-synthetic_scenes"));
            says(demo, "This network does not name pictures", "detector.tflite");
            demo.screenshot("error-task-night");
        }
    }

    @Test
    public void saysThatAFileIsTooLarge() {
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.open);
            Files.choose(demo, "huge.tflite", () -> new Zeros(ModelStore.MOST_BYTES + 1));
            says(demo, "The file is too large", "huge.tflite");
            demo.screenshot("error-too-large-day");
        }
    }

    @Test
    public void saysThatAFileCannotBeRead() {
        try (Demo demo = new Demo("+de")) {
            demo.click(R.id.open);
            Files.choose(demo, "torn.tflite", () -> new InputStream() {
                @Override
                public int read() throws IOException {
                    throw new IOException("the card was pulled out");
                }
            });
            says(demo, "Die Datei ist nicht lesbar", "the card was pulled out");
        }
    }

    @Test
    @Config(application = TestApplication.WithoutNetworks.class)
    public void saysThatThereIsNoNetwork() {
        try (Demo demo = new Demo("+en")) {
            says(demo, "No network to run", ".tflite");
            demo.screenshot("error-no-network-day");
            for (int screen : new int[] {R.id.benchmark, R.id.draw}) {
                demo.click(screen);
                assertTrue(demo.shows(R.id.message));
            }
        }
    }

    @Test
    @Config(application = TestApplication.WithoutMemory.class)
    public void saysThatThereIsNoMemory() {
        try (Demo demo = new Demo("+en-night")) {
            says(demo, "Not enough memory", "resnet20");
            assertFalse(demo.shows(R.id.canvas));
            demo.screenshot("error-memory-night");
        }
    }

    /** So many bytes of nothing. */
    private static final class Zeros extends InputStream {
        private long left;

        Zeros(long bytes) {
            left = bytes;
        }

        @Override
        public int read() {
            return left-- > 0 ? 0 : -1;
        }

        @Override
        public int read(byte[] into, int offset, int count) {
            int given = (int) Math.min(count, left);
            Arrays.fill(into, offset, offset + given, (byte) 0);
            left -= given;
            return given == 0 ? -1 : given;
        }
    }
}

package org.mobilebnn.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.graphics.drawable.BitmapDrawable;
import android.os.Looper;
import android.view.ViewGroup;
import android.widget.ImageView;
import android.widget.ProgressBar;
import android.widget.TextView;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mobilebnn.demo.network.Engine;
import org.mobilebnn.demo.network.ModelEntry;
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

    private static byte[] odd(String name) throws IOException {
        return java.nio.file.Files.readAllBytes(Paths.get(System.getProperty("mbnn.odd"), name));
    }

    @Test
    public void runsANetworkOfColours() throws IOException {
        try (Demo demo = new Demo("+en")) {
            open(demo, "colour.tflite", odd("colour.tflite"));
            Demo.until("it is asked for anything", () -> demo.text(R.id.hint).equals("Draw something"));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("it is named", () -> demo.text(R.id.prediction).equals("frog"));
            BitmapDrawable seen = (BitmapDrawable) demo.<ImageView>view(R.id.seen).getDrawable();
            assertEquals(32, seen.getBitmap().getWidth());
        }
    }

    @Test
    public void saysThatAFileIsCorrupt() {
        Demo.byDayAndNight(demo -> {
            byte[] cut = Arrays.copyOf(model("resnet20-digits"), 40_000);
            open(demo, "cut.tflite", cut);
            says(demo, "Not a network that can be run", "cut.tflite");
            demo.screenshot("error-corrupt");
            open(demo, "empty.tflite", new byte[0]);
            says(demo, "Not a network that can be run", "empty.tflite");
            open(demo, "letter.tflite", "Dear Sir or Madam, this is not a network.".getBytes("UTF-8"));
            says(demo, "Not a network that can be run", "letter.tflite");
            demo.click(R.id.message_second);
            assertEquals("resnet20 · digits", demo.text(R.id.model));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("the app's own network runs again", () -> demo.text(R.id.prediction).equals("7"));
        });
    }

    @Test
    public void saysThatANetworkDoesNotNamePictures() {
        Demo.byDayAndNight(demo -> {
            open(demo, "detector.tflite", model("quicknet_small-synthetic_scenes"));
            says(demo, "This network does not name pictures", "detector.tflite");
            demo.screenshot("error-task");
            open(demo, "batch.tflite", odd("batch.tflite"));
            says(demo, "This network does not name pictures", "batch.tflite");
        });
    }

    @Test
    public void saysThatANetworkDoesNotTellWhatItIs() {
        Demo.byDayAndNight(demo -> {
            open(demo, "unlabelled.tflite", odd("unlabelled.tflite"));
            says(demo, "Nothing is known of this network", "unlabelled.tflite");
            demo.screenshot("error-no-metadata");
            demo.click(R.id.benchmark); // which can measure it
            ViewGroup networks = demo.view(R.id.networks);
            assertEquals("unlabelled.tflite", ((TextView) networks.getChildAt(0)).getText().toString());
        });
    }

    @Test
    public void saysThatAFileIsTooLarge() {
        Demo.byDayAndNight(demo -> {
            demo.click(R.id.open);
            Files.choose(demo, "huge.tflite", () -> new Zeros(ModelStore.MOST_BYTES + 1)); // its size was not told
            says(demo, "The file is too large", "huge.tflite is larger than 64 MB, the most that this app opens.");
            demo.screenshot("error-too-large");
        });
    }

    @Test
    public void takesAFileOfTheLargestSize() {
        try (Demo demo = new Demo("+de")) {
            demo.click(R.id.open);
            Files.choose(demo, "large.tflite", () -> new Zeros(ModelStore.MOST_BYTES));
            says(demo, "Kein Netz, das laufen kann", "large.tflite");
        }
    }

    @Test
    public void saysThatAFileCannotBeRead() {
        Demo.byDayAndNight(demo -> {
            demo.click(R.id.open);
            Files.choose(demo, "torn.tflite", () -> new InputStream() {
                @Override
                public int read() throws IOException {
                    throw new IOException("the card was pulled out");
                }
            });
            says(demo, "The file cannot be read", "the card was pulled out");
            demo.screenshot("error-unreadable");
        });
    }

    @Test
    public void saysThatThereIsNoRoom() {
        Demo.byDayAndNight(demo -> {
            Path part = demo.activity().getFilesDir().toPath().resolve("own.part");
            java.nio.file.Files.createSymbolicLink(part, Paths.get("/dev/full")); // of which each write finds no space
            open(demo, "mine.tflite", model("resnet20-digits"));
            says(demo, "No room on this phone", "mine.tflite");
            assertFalse(java.nio.file.Files.exists(part));
            demo.screenshot("error-no-room");
            open(demo, "mine.tflite", model("resnet20-digits")); // something was deleted
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
        });
    }

    @Test
    public void goesOnWhenTheFileIsRemoved() throws IOException {
        try (Demo demo = new Demo("+en")) {
            open(demo, "mine.tflite", model("binary_lenet-digits"));
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("it is named", () -> demo.text(R.id.prediction).equals("7"));
            ModelEntry mine = demo.activity().store().chosen();
            assertTrue(mine.forms.get(Engine.BINARY).file.delete());
            demo.draw(DrawScreenTest.SEVEN);
            Demo.until("it still runs", () -> demo.text(R.id.prediction).equals("7"));
            IOException gone = assertThrows(
                    IOException.class, () -> demo.activity().store().content(mine.forms.get(Engine.BINARY)));
            assertEquals("the file is no longer there", gone.getMessage());
            demo.become(Demo.LANDSCAPE);
            assertEquals("resnet20 · digits", demo.text(R.id.model));
            Demo.until("the app's own network runs", () -> demo.text(R.id.prediction).equals("7"));
        }
    }

    @Test
    public void keepsOneFileByItsContent() throws IOException {
        try (Demo demo = new Demo("+en")) {
            open(demo, "first.tflite", model("binary_lenet-digits"));
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("first.tflite"));
            ModelEntry first = demo.activity().store().chosen();
            open(demo, "second.tflite", model("resnet20-digits"));
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("second.tflite"));
            assertThrows( // what is measured under the first one's name is never the second one
                    IOException.class, () -> demo.activity().store().content(first.forms.get(Engine.BINARY)));
            assertEquals(1, new File(demo.activity().getFilesDir(), "own").list().length);
        }
    }

    @Test
    public void tellsTheTurnedWindowOfAFile() throws IOException {
        CountDownLatch turned = new CountDownLatch(1);
        byte[] content = model("binary_lenet-digits");
        try (Demo demo = new Demo("+en")) {
            demo.click(R.id.open);
            Files.choose(demo, "slow.tflite", () -> halting(content, turned));
            demo.become(Demo.LANDSCAPE);
            assertEquals("resnet20 · digits", demo.text(R.id.model));
            turned.countDown();
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("slow.tflite"));
        }
    }

    /** A network whose second half does not come before something has happened. */
    private static InputStream halting(byte[] content, CountDownLatch happened) {
        InputStream second = new ByteArrayInputStream(content, content.length / 2, content.length) {
            @Override
            public synchronized int read(byte[] into, int offset, int count) {
                try {
                    happened.await();
                } catch (InterruptedException interrupted) {
                    throw new AssertionError(interrupted);
                }
                return super.read(into, offset, count);
            }
        };
        return new SequenceInputStream(new ByteArrayInputStream(content, 0, content.length / 2), second);
    }

    @Test
    public void showsHowMuchOfAFileIsCopied() throws IOException {
        byte[] content = model("resnet20-digits");
        CountDownLatch looked = new CountDownLatch(1);
        try (Demo demo = new Demo("+en")) {
            Files.describe("slow.tflite", content.length);
            demo.click(R.id.open);
            Files.choose(demo, "slow.tflite", () -> halting(content, looked));
            assertFalse("it may be a matter of milliseconds", demo.shows(R.id.opening));
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1));
            Demo.until("half of it is copied", () -> demo.<ProgressBar>view(R.id.opening_progress).getProgress() == 50);
            demo.inEveryForm(() -> {
                assertTrue(demo.shows(R.id.opening));
                assertTrue(demo.text(R.id.opening_text).contains("slow.tflite"));
                assertFalse(demo.<ProgressBar>view(R.id.opening_progress).isIndeterminate());
                demo.screenshot("opening");
            });
            looked.countDown();
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("slow.tflite"));
            assertFalse(demo.shows(R.id.opening));
        }
    }

    @Test
    public void showsThatAFileOfUnknownSizeIsCopied() throws IOException {
        CountDownLatch looked = new CountDownLatch(1);
        byte[] content = model("resnet20-digits");
        try (Demo demo = new Demo("+de")) {
            demo.click(R.id.open);
            Files.choose(demo, "stream.tflite", () -> halting(content, looked));
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1));
            Demo.until("it is shown", () -> demo.shows(R.id.opening));
            assertTrue(demo.<ProgressBar>view(R.id.opening_progress).isIndeterminate());
            assertEquals("stream.tflite wird geöffnet…", demo.text(R.id.opening_text));
            looked.countDown();
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("stream.tflite"));
            assertFalse(demo.shows(R.id.opening));
        }
    }

    @Test
    @Config(application = TestApplication.WithoutNetworks.class)
    public void saysThatThereIsNoNetwork() {
        try (Demo demo = new Demo("+en")) {
            says(demo, "No network to run", ".tflite");
            demo.inEveryForm(() -> {
                String title = demo.activity().getString(R.string.error_no_model_title);
                assertEquals(title, demo.text(R.id.message_title));
                demo.screenshot("error-no-network");
            });
            for (int screen : new int[] {R.id.benchmark, R.id.draw}) {
                demo.click(screen);
                assertTrue(demo.shows(R.id.message));
            }
        }
    }

    @Test
    @Config(application = TestApplication.WithoutMemory.class)
    public void saysThatThereIsNoMemory() {
        Demo.byDayAndNight(demo -> {
            says(demo, "Not enough memory", "resnet20");
            assertFalse(demo.shows(R.id.canvas));
            demo.screenshot("error-memory");
        });
    }

    @Test
    @Config(application = TestApplication.WithoutRuntime.class)
    public void saysThatThereIsNoRuntime() {
        Demo.byDayAndNight(demo -> {
            open(demo, "mine.tflite", model("resnet20-digits"));
            Demo.until("it is chosen", () -> demo.text(R.id.model).equals("mine.tflite"));
            Demo.idle();
            says(demo, "TensorFlow Lite does not start", "16 KB");
            demo.screenshot("error-no-runtime");
            demo.click(R.id.message_second); // try again: the file is not to blame, and is not forgotten
            says(demo, "TensorFlow Lite does not start", "16 KB");
            assertEquals("mine.tflite", demo.text(R.id.model));
        });
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

package org.mobilebnn;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.junit.Test;

/** The interpreter on the real native library and a real TensorFlow Lite. */
public class BnnInterpreterTest {
    private static final String DIGITS = "resnet20-digits";

    /** What XNNPACK computes after the last binary operator differs in the last bit by its version and processor. */
    private static final float ROUNDING = 1e-6f;

    @Test
    public void givesTheBitsThatPythonGives() throws IOException {
        for (Case each : Case.all()) {
            for (int threads : new int[] {1, 4}) {
                assertBits(each, Case.options().setNumThreads(threads));
            }
        }
    }

    @Test
    public void givesThemWithEveryInstructionSet() throws IOException {
        for (String isa : Arrays.asList("portable", BnnInterpreter.kernel())) {
            assertBits(Case.named(DIGITS), Case.options().setInstructionSet(isa));
        }
    }

    @Test
    public void tellsTheVersionOfTheRuntime() throws IOException {
        try (BnnInterpreter interpreter = new BnnInterpreter(Case.named(DIGITS).model, Case.options())) {
            assertEquals("2.19.0", interpreter.runtimeVersion()); // of tools/android/host_runtime.py
        }
    }

    private static void assertBits(Case each, BnnInterpreter.Options options) throws IOException {
        byte[] expected = each.bytes("binary.bin");
        try (BnnInterpreter interpreter = new BnnInterpreter(each.binary, options)) {
            assertArrayEquals(each.name, expected, each.run(interpreter, expected.length));
        }
    }

    @Test
    public void wholeModelsGiveWhatPythonGives() throws IOException {
        for (Case each : Case.all()) {
            byte[] expected = each.bytes("outputs.bin");
            try (BnnInterpreter interpreter = new BnnInterpreter(each.model, Case.options())) {
                assertArrayEquals(
                    each.name, floats(expected), floats(each.run(interpreter, expected.length)), ROUNDING);
            }
        }
    }

    private static float[] floats(byte[] bytes) {
        float[] found = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(found);
        return found;
    }

    @Test
    public void givesThemFromMemoryAtAnyPosition() throws IOException {
        Case digits = Case.named(DIGITS);
        byte[] model = digits.bytes("binary.tflite");
        byte[] expected = digits.bytes("binary.bin");
        for (int position : new int[] {16, 8, 4, 1}) {
            ByteBuffer within = ByteBuffer.allocateDirect(model.length + 64);
            within.position(position);
            within.put(model);
            within.position(position).limit(position + model.length);
            try (BnnInterpreter interpreter = new BnnInterpreter(within, Case.options())) {
                assertArrayEquals(expected, digits.run(interpreter, expected.length));
            }
        }
        ByteBuffer heap = ByteBuffer.wrap(model);
        Throwable refused = assertThrows(
            IllegalArgumentException.class, () -> new BnnInterpreter(heap, Case.options()));
        assertEquals("the model must be in a direct buffer: ByteBuffer.allocateDirect", refused.getMessage());
    }

    @Test
    public void classifiesAsPythonDoes() throws IOException {
        int classifiers = 0;
        for (Case each : Case.all()) {
            if (!each.has("classes.tsv")) {
                continue;
            }
            ++classifiers;
            ByteBuffer image = ByteBuffer.wrap(each.bytes("image.argb")).order(ByteOrder.LITTLE_ENDIAN);
            int height = image.getInt();
            int width = image.getInt();
            int[] pixels = new int[height * width];
            image.asIntBuffer().get(pixels);
            try (BnnInterpreter interpreter = new BnnInterpreter(each.model, Case.options())) {
                List<Classification> found = interpreter.classify(pixels, height, width);
                String[] lines = each.text("classes.tsv").split("\n");
                assertEquals(lines.length, found.size());
                for (int i = 0; i < lines.length; ++i) {
                    String[] parts = lines[i].split("\t");
                    assertEquals(each.name, Integer.parseInt(parts[0]), found.get(i).index);
                    assertEquals(each.name, parts[1], found.get(i).label);
                    assertEquals(each.name, Float.parseFloat(parts[2]), found.get(i).score, ROUNDING);
                }
            }
        }
        assertTrue(classifiers >= 2);
    }

    @Test
    public void predictGivesTheFirstOutput() throws IOException {
        Case digits = Case.named(DIGITS);
        try (BnnInterpreter interpreter = new BnnInterpreter(digits.model, Case.options())) {
            ByteBuffer inputs = ByteBuffer.wrap(digits.bytes("inputs.bin")).order(ByteOrder.nativeOrder());
            ByteBuffer outputs = ByteBuffer.wrap(digits.bytes("outputs.bin")).order(ByteOrder.nativeOrder());
            float[] values = new float[(int) interpreter.input(0).elements()];
            inputs.asFloatBuffer().get(values);
            float[] expected = new float[(int) interpreter.output(0).elements()];
            outputs.asFloatBuffer().get(expected);
            assertArrayEquals(expected, interpreter.predict(values), ROUNDING);
            Throwable refused = assertThrows(
                IllegalArgumentException.class, () -> interpreter.predict(new float[3]));
            assertEquals("the model takes 64 values, not 3", refused.getMessage());
        }
    }

    @Test
    public void tellsOfItsTensors() throws IOException {
        try (BnnInterpreter interpreter = new BnnInterpreter(Case.named(DIGITS).model, Case.options())) {
            assertEquals(1, interpreter.inputCount());
            assertEquals(1, interpreter.outputCount());
            TensorInfo input = interpreter.input(0);
            assertArrayEquals(new int[] {1, 8, 8, 1}, input.shape());
            assertEquals(TensorType.FLOAT32, input.type);
            assertEquals(256, input.bytes);
            assertFalse(input.name.isEmpty());
            assertArrayEquals(new int[] {1, 10}, interpreter.output(0).shape());
            assertNotNull(interpreter.metadata());
        }
    }

    @Test
    public void takesBuffersOfTheRightSizeAlone() throws IOException {
        try (BnnInterpreter interpreter = new BnnInterpreter(Case.named(DIGITS).model, Case.options())) {
            String name = interpreter.input(0).name;
            ByteBuffer[] good = {ByteBuffer.allocate(256)};
            ByteBuffer[] output = {ByteBuffer.allocate(40)};
            interpreter.run(good, output);
            assertEquals(0, output[0].position());
            assertRefused(interpreter, new ByteBuffer[] {ByteBuffer.allocateDirect(255)}, output,
                "the input " + name + " has 256 bytes, not 255");
            assertRefused(interpreter, new ByteBuffer[0], output, "the model has 1 inputs, not 0");
            assertRefused(interpreter, good, new ByteBuffer[] {ByteBuffer.allocate(40).asReadOnlyBuffer()},
                "the buffer of the output " + interpreter.output(0).name + " is read-only");
        }
    }

    private static void assertRefused(
            BnnInterpreter interpreter, ByteBuffer[] inputs, ByteBuffer[] outputs, String message) {
        Throwable refused = assertThrows(
            IllegalArgumentException.class, () -> interpreter.run(inputs, outputs));
        assertEquals(message, refused.getMessage());
    }

    @Test
    public void aClosedOneRefusesToRun() throws IOException {
        BnnInterpreter interpreter = new BnnInterpreter(Case.named(DIGITS).model, Case.options());
        interpreter.close();
        interpreter.close();
        Throwable refused = assertThrows(IllegalStateException.class, () -> interpreter.predict(new float[64]));
        assertEquals("this interpreter is closed", refused.getMessage());
    }

    @Test
    public void withoutOurDelegateABinaryModelIsRefused() {
        InvalidModelException refused = assertThrows(InvalidModelException.class,
            () -> new BnnInterpreter(Case.named(DIGITS).model, Case.options().setDelegate(false)));
        assertTrue(refused.getMessage(), refused.getMessage().matches(
            "the runtime refuses the model: .*unresolved custom op: Lce.*"));
    }

    @Test
    public void anUnknownInstructionSetIsNamed() {
        Throwable refused = assertThrows(IllegalArgumentException.class,
            () -> new BnnInterpreter(Case.named(DIGITS).model, Case.options().setInstructionSet("mmx")));
        assertTrue(refused.getMessage(), refused.getMessage().contains("unknown value \"mmx\""));
    }

    @Test
    public void aMissingRuntimeIsToldWithItsCure() {
        Throwable refused = assertThrows(IllegalStateException.class,
            () -> new BnnInterpreter(Case.named(DIGITS).model, Case.options().setRuntimeLibrary("libnone.so")));
        assertTrue(refused.getMessage(), refused.getMessage().startsWith("no TensorFlow Lite library can be used: libnone"));
        assertTrue(refused.getMessage(), refused.getMessage().contains("Cure: add org.tensorflow:tensorflow-lite"));
        Throwable other = assertThrows(IllegalStateException.class,
            () -> new BnnInterpreter(Case.named(DIGITS).model, Case.options().setRuntimeLibrary("libm.so.6")));
        assertTrue(other.getMessage(), other.getMessage().contains("lacks a function of TFLite's C API"));
    }

    @Test
    public void filesThatAreNoModelsAreRefused() throws IOException {
        assertThrows(IOException.class, () -> new BnnInterpreter(new File("none.tflite"), Case.options()));
        assertInvalid(new byte[0], "the model is empty");
        assertInvalid("a text that is no model".getBytes("UTF-8"),
            "the model is not a .tflite file: it does not carry the identifier TFL3");
        byte[] model = Case.named(DIGITS).bytes("model.tflite");
        for (int size : new int[] {8, 100, model.length / 2}) {
            InvalidModelException refused = assertInvalid(Arrays.copyOf(model, size), null);
            assertTrue(refused.getMessage(), refused.getMessage().startsWith("the model is truncated or malformed: "));
        }
    }

    private static InvalidModelException assertInvalid(byte[] content, String message) throws IOException {
        File file = File.createTempFile("model", ".tflite");
        try {
            Files.write(file.toPath(), content);
            InvalidModelException refused = assertThrows(
                InvalidModelException.class, () -> new BnnInterpreter(file, Case.options()));
            if (message != null) {
                assertEquals(message, refused.getMessage());
            }
            return refused;
        } finally {
            assertTrue(file.delete());
        }
    }

    @Test
    public void optionsAreChecked() {
        Throwable refused = assertThrows(
            IllegalArgumentException.class, () -> new BnnInterpreter.Options().setNumThreads(0));
        assertEquals("the number of threads is 1 to 256, not 0", refused.getMessage());
    }
}

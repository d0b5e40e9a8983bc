package org.mobilebnn;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.Test;

/** Reference inputs have the bytes that Python generates, and models give for them what Python recorded. */
public class ReferenceInputsTest {
    private static final TensorType[] TYPES = {TensorType.FLOAT32, TensorType.UINT8, TensorType.INT8};

    private static ModelMetadata.Normalization normalization(ByteBuffer numbers, int channels) throws IOException {
        String mean = numbers(numbers, channels);
        String std = numbers(numbers, channels);
        String json = "{\"input_shape\":[1],\"binary_macs\":0,\"float_macs\":0,\"normalization\":{\"mean\":[" + mean
            + "],\"std\":[" + std + "]}}";
        return ModelMetadata.parse(json.getBytes(StandardCharsets.UTF_8)).normalization;
    }

    private static String numbers(ByteBuffer from, int count) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; ++i) {
            all.add(String.valueOf(from.getDouble()));
        }
        return String.join(",", all);
    }

    /** The file has, for each case, integers: channels, the sample, inputs; of each input type and elements. */
    @Test
    public void generatesWhatPythonGenerates() throws IOException {
        File file = new File(System.getProperty("mbnn.cases"), "reference_inputs.bin");
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file.toPath())).order(ByteOrder.LITTLE_ENDIAN);
        int cases = 0;
        for (; all.hasRemaining(); ++cases) {
            int channels = all.getInt();
            int sample = all.getInt();
            int count = all.getInt();
            List<TensorInfo> inputs = new ArrayList<>();
            for (int i = 0; i < count; ++i) {
                TensorType type = TYPES[all.getInt()];
                int elements = all.getInt();
                inputs.add(new TensorInfo("", type, new int[] {1, elements}, 1, 0, (long) elements * type.bytes()));
            }
            ModelMetadata.Normalization normalization = normalization(all, channels);
            for (ByteBuffer found : ReferenceInputs.of(inputs, normalization, sample)) {
                byte[] expected = new byte[found.capacity()];
                all.get(expected);
                assertArrayEquals("case " + cases, expected, bytes(found));
            }
        }
        assertEquals(4, cases);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.capacity()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** All but the last bits, in which another version of the runtime differs after the last binary convolution. */
    @Test
    public void modelsGiveWhatTheirFilesRecord() throws IOException {
        int recorded = 0;
        for (Case each : Case.all()) {
            ModelMetadata metadata = ModelMetadata.read(Case.direct(each.bytes("model.tflite")));
            if (metadata.reference == null) {
                continue;
            }
            ++recorded;
            try (BnnInterpreter interpreter = new BnnInterpreter(each.model, Case.options())) {
                List<TensorInfo> inputs = new ArrayList<>();
                List<TensorInfo> outputs = new ArrayList<>();
                for (int i = 0; i < interpreter.inputCount(); ++i) {
                    inputs.add(interpreter.input(i));
                }
                for (int i = 0; i < interpreter.outputCount(); ++i) {
                    outputs.add(interpreter.output(i));
                }
                assertTrue(each.name, metadata.reference.fits(outputs));
                for (int sample = 0; sample < metadata.reference.samples; ++sample) {
                    ByteBuffer[] given = ReferenceInputs.of(inputs, metadata.normalization, sample);
                    assertSameNumbers(each.name, interpreter, given, metadata.reference, sample);
                }
            }
        }
        assertTrue(recorded + " cases have a reference", recorded >= 5);
    }

    private static void assertSameNumbers(
            String name, BnnInterpreter interpreter, ByteBuffer[] given, Reference reference, int sample) {
        ByteBuffer[] found = new ByteBuffer[interpreter.outputCount()];
        for (int i = 0; i < found.length; ++i) {
            found[i] = ByteBuffer.allocateDirect((int) interpreter.output(i).bytes).order(ByteOrder.nativeOrder());
        }
        interpreter.run(given, found);
        for (int i = 0; i < found.length; ++i) {
            ByteBuffer expected = reference.output(sample, i);
            for (int at = 0; at < expected.capacity(); at += Float.BYTES) {
                assertEquals(name, expected.getFloat(at), found[i].getFloat(at), 1e-5);
            }
        }
    }

    @Test
    public void hasNoneForOtherInputs() throws IOException {
        TensorInfo integers = new TensorInfo("", TensorType.INT32, new int[] {1, 2}, 0, 0, 8);
        ModelMetadata.Normalization none = normalization(ByteBuffer.wrap(new byte[] {0, 0, 0, 0, 0, 0, 0, 0,
            0x3f, (byte) 0xf0, 0, 0, 0, 0, 0, 0}), 1);
        assertFalse(ReferenceInputs.canFeed(Arrays.asList(integers)));
        assertTrue(ReferenceInputs.canFeed(Collections.emptyList()));
        assertThrows(IllegalArgumentException.class, () -> ReferenceInputs.of(Arrays.asList(integers), none, 0));
    }
}

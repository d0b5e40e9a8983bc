package org.mobilebnn;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.Test;

/** The metadata reader, against the schema that Python exports and the files that Python writes. */
public class ModelMetadataTest {
    private static final String LEAST = "\"input_shape\":[8,8,1],\"normalization\":{\"mean\":[0],\"std\":[1.5]},"
        + "\"binary_macs\":5,\"float_macs\":6";

    private static ModelMetadata parsed(String json) throws InvalidModelException {
        return ModelMetadata.parse(json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    public void knowsTheFieldsOfPythonsSchemaAndNoOthers() throws Exception {
        Map<?, ?> definitions = definitions();
        assertSameFields(definitions, "ModelMetadata", ModelMetadata.FIELDS);
        assertSameFields(definitions, "TaskSpec", ModelMetadata.TaskSpec.FIELDS);
        assertSameFields(definitions, "Normalization", ModelMetadata.Normalization.FIELDS);
        assertSameFields(definitions, "Accuracy", ModelMetadata.Accuracy.FIELDS);
        assertSameFields(definitions, "Pair", ModelMetadata.Pair.FIELDS);
        assertSameFields(definitions, "Reference", Reference.FIELDS);
        Map<?, ?> version = at(definitions, "ModelMetadata", "properties", "schema_version");
        assertEquals((long) ModelMetadata.NEWEST, version.get("const"));
    }

    /** Each field that the schema demands is one that the reader misses. */
    @Test
    public void missesWhatTheSchemaDemands() throws Exception {
        List<?> required = (List<?>) ((Map<?, ?>) definitions().get("ModelMetadata")).get("required");
        assertEquals(4, required.size());
        for (Object name : required) {
            String without = ("{" + LEAST + "}").replace("\"" + name + "\"", "\"labels_\"");
            assertRefused(without, "");
            assertTrue(without.contains("labels_"));
        }
    }

    private static Map<?, ?> definitions() throws Exception {
        File schema = new File(System.getProperty("mbnn.schema"));
        return (Map<?, ?>) ((Map<?, ?>) Json.parse(Files.readAllBytes(schema.toPath()))).get("$defs");
    }

    private static Map<?, ?> at(Map<?, ?> from, String... names) {
        Map<?, ?> found = from;
        for (String name : names) {
            found = (Map<?, ?>) found.get(name);
            assertNotNull(name, found);
        }
        return found;
    }

    private static void assertSameFields(Map<?, ?> definitions, String type, Set<String> known) {
        assertEquals(type, at(definitions, type, "properties").keySet(), known);
        assertEquals(type, false, at(definitions, type).get("additionalProperties"));
    }

    @Test
    public void readsWhatPythonWrote() throws Exception {
        for (Case each : Case.all()) {
            Map<?, ?> expected = (Map<?, ?>) Json.parse(each.bytes("metadata.json"));
            ModelMetadata found = ModelMetadata.read(Case.direct(each.bytes("model.tflite")));
            assertEquals(expected.get("labels"), found.labels);
            assertEquals(expected.get("zoo_model"), found.zooModel);
            assertEquals(expected.get("method"), found.method);
            assertEquals(expected.get("dataset"), found.dataset);
            assertEquals(expected.get("binary_macs"), found.binaryMacs);
            assertEquals(expected.get("float_macs"), found.floatMacs);
            assertEquals(expected.get("versions"), found.versions);
            assertEquals(expected.get("source_sha256"), found.sourceSha256);
            assertEquals(at(expected, "task").get("name"), found.task.name);
            assertEquals(at(expected, "task").get("options"), found.task.options);
            List<?> shape = (List<?>) expected.get("input_shape");
            assertEquals(shape.size(), found.inputShape().length);
            for (int i = 0; i < shape.size(); ++i) {
                assertEquals(shape.get(i), (long) found.inputShape()[i]);
            }
            assertNumbers((List<?>) at(expected, "normalization").get("mean"), found.normalization.mean());
            assertNumbers((List<?>) at(expected, "normalization").get("std"), found.normalization.std());
            assertNull(ModelMetadata.read(Case.direct(each.bytes("binary.tflite"))));
        }
    }

    private static void assertNumbers(List<?> expected, float[] found) {
        assertEquals(expected.size(), found.length);
        for (int i = 0; i < found.length; ++i) {
            assertEquals(((Number) expected.get(i)).floatValue(), found[i], 0);
        }
    }

    @Test
    public void readsAnAccuracyOfEveryVersion() throws IOException {
        String metrics = "\"accuracy\":{\"dataset\":\"d\",\"split\":\"test\",\"samples\":9,";
        ModelMetadata now = parsed("{\"schema_version\":2," + metrics
            + "\"headline\":\"mIoU\",\"metrics\":{\"mIoU\":{\"keras\":0.5,\"tflite\":\"NaN\"}}}," + LEAST + "}");
        assertEquals("mIoU", now.accuracy.headline);
        assertEquals(9, now.accuracy.samples);
        assertEquals(0.5, now.accuracy.metrics.get("mIoU").keras, 0);
        assertTrue(Double.isNaN(now.accuracy.metrics.get("mIoU").tflite));
        ModelMetadata old = parsed("{\"schema_version\":1," + metrics
            + "\"keras_top1\":0.75,\"tflite_top1\":0.5}," + LEAST + "}");
        assertEquals("top-1", old.accuracy.headline);
        assertEquals(0.75, old.accuracy.metrics.get("top-1").keras, 0);
        assertNull(parsed("{" + LEAST + ",\"accuracy\":null}").accuracy);
    }

    @Test
    public void readsTextOfEveryScript() throws IOException {
        ModelMetadata found = parsed(
            "{\"labels\":[\"eins\", \"\\u0434\\u0432\\u0430 \\\"\\\\\\/\\n\", \"\ud83d\ude00\"], " + LEAST + "}");
        assertEquals("\u0434\u0432\u0430 \"\\/\n", found.labels.get(1));
        assertEquals("\ud83d\ude00", found.labels.get(2));
        assertThrows(UnsupportedOperationException.class, () -> found.labels.clear());
    }

    @Test
    public void normalizesByChannelOrForAll() throws IOException {
        ModelMetadata.Normalization one = parsed("{" + LEAST + "}").normalization;
        assertArrayEquals(new float[] {2, 4, 6}, one.apply(new float[] {3, 6, 9}, 3), 0);
        ModelMetadata.Normalization three = parsed("{" + LEAST.replace("\"mean\":[0],\"std\":[1.5]",
            "\"mean\":[1,2,3],\"std\":[1,2,4]") + "}").normalization;
        assertArrayEquals(new float[] {0, 0, 0, 1, 1, 1}, three.apply(new float[] {1, 2, 3, 2, 4, 7}, 3), 0);
        assertThrows(IllegalArgumentException.class, () -> three.apply(new float[2], 1));
    }

    @Test
    public void refusesWhatPythonRefuses() {
        assertRefused("", "it ends early");
        assertRefused("[1]", "the whole is not an object");
        assertRefused("{" + LEAST + ",\"extra\":1}", "extra is unknown");
        assertRefused("{" + LEAST.replace("[8,8,1]", "[]") + "}", "input_shape is empty");
        assertRefused("{" + LEAST.replace("[8,8,1]", "[8,8.5]") + "}", "input_shape is not a list of sizes");
        assertRefused("{" + LEAST.replace("[1.5]", "[0]") + "}", "normalization: std must be above 0");
        assertRefused("{" + LEAST.replace("[1.5]", "[1,2]") + "}",
            "normalization: mean and std must have one number for each channel");
        assertRefused("{" + LEAST.replace("[1.5]", "[\"Infinity\"]") + "}", "normalization: std must be finite");
        assertRefused("{" + LEAST.replace("5,\"float", "-5,\"float") + "}",
            "binary_macs is not a whole number from 0 on");
        assertRefused("{" + LEAST + ",\"labels\":[1]}", "labels is not a text");
        assertRefused("{" + LEAST + ",\"labels\":\"a\"}", "labels is not a list");
        assertRefused("{" + LEAST + ",\"task\":{\"options\":{}}}", "task.name is missing");
        assertRefused("{" + LEAST + ",\"zoo_model\":1e999}", "zoo_model is not a text");
        Throwable newer = assertThrows(InvalidModelException.class, () -> parsed("{\"schema_version\":99," + LEAST + "}"));
        assertEquals("the model's metadata are of version 99, and this mobile_bnn reads 1 to 3: take a newer one",
            newer.getMessage());
    }

    @Test
    public void readsAReference() throws IOException {
        Reference found = parsed(
            "{\"schema_version\":3,\"reference\":{\"samples\":2,\"outputs\":[\"AQIDBA==\",\"BQY=\"]}," + LEAST + "}").reference;
        assertEquals(2, found.samples);
        assertEquals(0x0403, found.output(1, 0).getShort(0));
        assertEquals(6, found.output(1, 1).get(0));
        assertEquals(1, found.output(1, 1).capacity());
        assertTrue(found.output(0, 0).isReadOnly());
        assertThrows(IndexOutOfBoundsException.class, () -> found.output(2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> found.output(0, 2));
        TensorInfo first = new TensorInfo("", TensorType.INT8, new int[] {2}, 1, 0, 2);
        TensorInfo second = new TensorInfo("", TensorType.INT8, new int[] {1}, 1, 0, 1);
        assertTrue(found.fits(Arrays.asList(first, second)));
        assertFalse(found.fits(Arrays.asList(second, first)));
        assertFalse(found.fits(Arrays.asList(first)));
        assertNull(parsed("{" + LEAST + ",\"reference\":null}").reference);
        assertNull(parsed("{\"schema_version\":2," + LEAST + "}").reference);
    }

    @Test
    public void refusesADamagedReference() {
        String[][] damaged = {
            {"2147483648", "[\"AAA=\"]", "reference.samples is not one of 1 to 16"},
            {"0", "[\"AAA=\"]", "reference.samples is not one of 1 to 16"},
            {"1.5", "[\"AAA=\"]", "reference.samples is not a whole number"},
            {"1", "[]", "reference.outputs is empty"},
            {"1", "7", "reference.outputs is not a list"},
            {"1", "[\"\"]", "reference.outputs: 0 bytes are not those of 1 samples"},
            {"2", "[\"AAAA\"]", "reference.outputs: 3 bytes are not those of 2 samples"},
            {"1", "[\"A\"]", "reference.outputs: an output is not base64"},
            {"1", "[\"AAA\"]", "reference.outputs: an output is not base64"},
            {"1", "[\"AAB=\"]", "reference.outputs: an output is not base64"},
            {"1", "[\"AA\\nA=\"]", "reference.outputs: an output is not base64"},
            {"1", "[\"" + repeated("A", 87_384) + "\"]", "reference.outputs have more than 65536 bytes"},
            {"1", "[\"AAA=\"],\"seed\":1", "reference.seed is unknown"},
        };
        for (String[] each : damaged) {
            String reference = "{\"samples\":" + each[0] + ",\"outputs\":" + each[1] + "}";
            assertRefused("{" + LEAST + ",\"reference\":" + reference + "}", each[2]);
        }
    }

    private static String repeated(String letter, int times) {
        return String.join("", Collections.nCopies(times, letter));
    }

    @Test
    public void refusesWhatIsNoJson() {
        for (String text : new String[] {
            "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[01]", "[1.]", "[.5]", "[1e]", "[+1]", "[NaN]", "nul",
            "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "\"", "{} {}", "[\u0661]", "\"\\u\uff11\uff11\uff11\uff11\""}) {
            assertThrows(text, Json.BadJson.class, () -> Json.parse(text.getBytes(StandardCharsets.UTF_8)));
        }
        assertThrows(Json.BadJson.class, () -> Json.parse(new byte[] {'"', (byte) 0xff, '"'}));
        StringBuilder deep = new StringBuilder();
        for (int i = 0; i < 100_000; ++i) {
            deep.append('[');
        }
        Throwable refused = assertThrows(
            Json.BadJson.class, () -> Json.parse(deep.toString().getBytes(StandardCharsets.UTF_8)));
        assertEquals("it is nested more than 64 deep", refused.getMessage());
    }

    private static void assertRefused(String json, String why) {
        InvalidModelException refused = assertThrows(json, InvalidModelException.class, () -> parsed(json));
        assertTrue(refused.getMessage(), refused.getMessage().startsWith("the model's metadata are damaged: " + why));
    }
}

package org.mobilebnn;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a model's file says of itself: what it is for, how to feed it, how good it is.
 *
 * <p>The record is written by {@code mbnn convert}; docs/json.schema.json has its schema, {@code ModelMetadata}.
 */
public final class ModelMetadata {
    static final int NEWEST = 3;
    static final Set<String> FIELDS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
        "schema_version", "task", "zoo_model", "method", "dataset", "labels", "input_shape", "normalization",
        "binary_macs", "float_macs", "accuracy", "versions", "source_sha256", "reference")));

    /** What the outputs mean; null where the file does not say. */
    public final TaskSpec task;
    /** The network's name in the zoo; null of a model from elsewhere. */
    public final String zooModel;
    /** The name of the binarization method; null of a model from elsewhere. */
    public final String method;
    /** What it was trained on; null of a model from elsewhere. */
    public final String dataset;
    /** The names of the classes, in the order of the outputs; unmodifiable, may be empty. */
    public final List<String> labels;
    /** How pixels become what the network takes. */
    public final Normalization normalization;
    /** Binary multiply-accumulates of one inference. */
    public final long binaryMacs;
    /** Other multiply-accumulates of one inference. */
    public final long floatMacs;
    /** How good it is on a data set; null where that was not measured. */
    public final Accuracy accuracy;
    /** The packages that made the file, with their versions; unmodifiable. */
    public final Map<String, String> versions;
    /** The SHA-256 of the file that it was converted from, in hexadecimal; may be empty. */
    public final String sourceSha256;
    /** By which a device tells whether it computes the same bits; null where the file has none. */
    public final Reference reference;
    private final int[] inputShape;

    private ModelMetadata(Fields fields) throws Fields.Unfit {
        fields.refuseOthers(FIELDS);
        task = fields.has("task") ? new TaskSpec(fields.object("task")) : null;
        zooModel = fields.textOr("zoo_model", null);
        method = fields.textOr("method", null);
        dataset = fields.textOr("dataset", null);
        labels = fields.textList("labels");
        inputShape = fields.sizes("input_shape");
        if (inputShape.length == 0) {
            throw new Fields.Unfit("input_shape is empty");
        }
        normalization = new Normalization(fields.object("normalization"));
        binaryMacs = fields.count("binary_macs");
        floatMacs = fields.count("float_macs");
        accuracy = fields.has("accuracy") ? Accuracy.of(fields) : null;
        versions = fields.texts("versions");
        sourceSha256 = fields.textOr("source_sha256", "");
        reference = fields.has("reference") ? new Reference(fields.object("reference")) : null;
    }

    /**
     * The record in a .tflite file.
     *
     * @param model the whole file, all of the buffer whatever its position
     * @return null where the file has no record
     * @throws InvalidModelException the file or the record is damaged, or the record is of a newer version
     */
    public static ModelMetadata read(ByteBuffer model) throws InvalidModelException {
        byte[] json = ModelFile.checkedMetadata(model);
        return json == null ? null : parse(json);
    }

    static ModelMetadata parse(byte[] json) throws InvalidModelException {
        try {
            Fields fields = Fields.of(Json.parse(json), "");
            long version = fields.has("schema_version") ? fields.count("schema_version") : 1;
            if (version < 1 || version > NEWEST) {
                throw new InvalidModelException("the model's metadata are of version " + version
                    + ", and this mobile_bnn reads 1 to " + NEWEST + ": take a newer one");
            }
            return new ModelMetadata(fields);
        } catch (Json.BadJson | Fields.Unfit error) {
            throw new InvalidModelException("the model's metadata are damaged: " + error.getMessage(), error);
        }
    }

    /**
     * The shape of one input: height, width, channels of an image.
     *
     * @return a copy
     */
    public int[] inputShape() {
        return inputShape.clone();
    }

    /** Which task the outputs are of. */
    public static final class TaskSpec {
        static final Set<String> FIELDS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList("name", "options")));

        /** classification, detection, segmentation, or a task of another package. */
        public final String name;
        /** What decoding depends on, as JSON has it; unmodifiable. */
        public final Map<String, Object> options;

        private TaskSpec(Fields fields) throws Fields.Unfit {
            fields.refuseOthers(FIELDS);
            name = fields.text("name");
            options = fields.map("options");
        }
    }

    /** What the network takes: (pixel - mean) / std, pixels from 0 to 255, by channel or the same for all. */
    public static final class Normalization {
        static final Set<String> FIELDS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList("mean", "std")));

        private final float[] mean;
        private final float[] std;

        private Normalization(Fields fields) throws Fields.Unfit {
            fields.refuseOthers(FIELDS);
            mean = finite(fields.numbers("mean"), "mean");
            std = finite(fields.numbers("std"), "std");
            if (mean.length == 0 || mean.length != std.length) {
                throw new Fields.Unfit("normalization: mean and std must have one number for each channel");
            }
            for (float each : std) {
                if (each <= 0) {
                    throw new Fields.Unfit("normalization: std must be above 0");
                }
            }
        }

        private static float[] finite(double[] numbers, String name) throws Fields.Unfit {
            float[] found = new float[numbers.length];
            for (int i = 0; i < found.length; ++i) {
                found[i] = (float) numbers[i];
                if (Float.isNaN(found[i]) || Float.isInfinite(found[i])) {
                    throw new Fields.Unfit("normalization: " + name + " must be finite");
                }
            }
            return found;
        }

        /**
         * The mean of each channel.
         *
         * @return a copy
         */
        public float[] mean() {
            return mean.clone();
        }

        /**
         * The standard deviation of each channel.
         *
         * @return a copy
         */
        public float[] std() {
            return std.clone();
        }

        /**
         * What the network takes for these pixels.
         *
         * @param pixels 0 to 255, channels innermost
         * @param channels of a pixel
         * @return as many values
         * @throws IllegalArgumentException it is for another number of channels
         */
        public float[] apply(float[] pixels, int channels) {
            if (mean.length != 1 && mean.length != channels) {
                throw new IllegalArgumentException(
                    "the model's normalization is for " + mean.length + " channels, not " + channels);
            }
            float[] values = new float[pixels.length];
            for (int i = 0; i < values.length; ++i) {
                int channel = mean.length == 1 ? 0 : i % channels;
                values[i] = (pixels[i] - mean[channel]) / std[channel];
            }
            return values;
        }
    }

    /** The task's metrics of the Keras model and of the file, on one split of a data set. */
    public static final class Accuracy {
        static final Set<String> FIELDS = Collections.unmodifiableSet(
            new HashSet<>(Arrays.asList("dataset", "split", "samples", "headline", "metrics")));

        /** The data set. */
        public final String dataset;
        /** The part of it. */
        public final String split;
        /** How many samples it has. */
        public final long samples;
        /** The name of the metric that the task is judged by, such as top-1. */
        public final String headline;
        /** By the names of the metrics; unmodifiable. */
        public final Map<String, Pair> metrics;

        private Accuracy(Fields fields) throws Fields.Unfit {
            fields.refuseOthers(FIELDS);
            dataset = fields.text("dataset");
            split = fields.text("split");
            samples = wholeNumber(fields);
            headline = fields.text("headline");
            Map<String, Pair> found = new LinkedHashMap<>();
            Fields each = fields.object("metrics");
            for (String name : fields.map("metrics").keySet()) {
                found.put(name, new Pair(each.object(name)));
            }
            metrics = Collections.unmodifiableMap(found);
        }

        /** Version 1 knew the top-1 alone. */
        private Accuracy(Fields fields, String headline) throws Fields.Unfit {
            dataset = fields.text("dataset");
            split = fields.text("split");
            samples = wholeNumber(fields);
            this.headline = headline;
            Pair pair = new Pair(fields.number("keras_top1"), fields.number("tflite_top1"));
            metrics = Collections.singletonMap(headline, pair);
        }

        private static long wholeNumber(Fields fields) throws Fields.Unfit {
            return fields.count("samples");
        }

        private static Accuracy of(Fields metadata) throws Fields.Unfit {
            Fields fields = metadata.object("accuracy");
            return fields.has("keras_top1") ? new Accuracy(fields, "top-1") : new Accuracy(fields);
        }
    }

    /** A metric of the Keras model and of the file. */
    public static final class Pair {
        static final Set<String> FIELDS = Collections.unmodifiableSet(new HashSet<>(Arrays.asList("keras", "tflite")));

        /** Of the Keras model, 0 to 1. */
        public final double keras;
        /** Of the file, 0 to 1. */
        public final double tflite;

        private Pair(double keras, double tflite) {
            this.keras = keras;
            this.tflite = tflite;
        }

        private Pair(Fields fields) throws Fields.Unfit {
            this(fields.number("keras"), fields.number("tflite"));
            fields.refuseOthers(FIELDS);
        }
    }
}

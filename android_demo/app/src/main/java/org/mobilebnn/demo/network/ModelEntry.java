package org.mobilebnn.demo.network;

import java.io.File;
import java.io.Serializable;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/** A network that can be chosen: its name, and where its forms are. */
public final class ModelEntry implements Serializable {
    /** A form of the network: a .tflite file in the assets, or one that the user opened. */
    public static final class Form implements Serializable {
        /** The name in the assets; null for a file of the user's. */
        public final String asset;
        /** The copy of a file of the user's; null for an asset. */
        public final File file;
        /** Its size. */
        public final long bytes;
        /** In hexadecimal. */
        public final String sha256;
        /** Of what it computes, as {@code mbnn} counts it; empty where nobody has told. */
        public final String graphSha256;

        Form(String asset, File file, long bytes, String sha256, String graphSha256) {
            this.asset = asset;
            this.file = file;
            this.bytes = bytes;
            this.sha256 = sha256;
            this.graphSha256 = graphSha256;
        }
    }

    /** Identifies it between starts of the app. */
    public final String id;
    /** For people: the architecture, or the name of the file. */
    public final String title;
    /** What it was trained on; empty where unknown. */
    public final String dataset;
    /** Whether it names pictures; true for a file of the user's, which only opening tells. */
    public final boolean classifier;
    /** Its forms, the binary one always. */
    public final Map<Engine, Form> forms;

    ModelEntry(String id, String title, String dataset, boolean classifier, Map<Engine, Form> forms) {
        this.id = id;
        this.title = title;
        this.dataset = dataset;
        this.classifier = classifier;
        this.forms = Collections.unmodifiableMap(new EnumMap<>(forms));
    }

    /** Whether it is a file of the user's. */
    public boolean own() {
        return forms.get(Engine.BINARY).file != null;
    }

    /** The title with the data set, which tells networks of one architecture apart. */
    public String fullTitle() {
        return dataset.isEmpty() ? title : title + " · " + dataset;
    }
}

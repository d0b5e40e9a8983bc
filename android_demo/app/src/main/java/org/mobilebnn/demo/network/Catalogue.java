package org.mobilebnn.demo.network;

import android.content.res.AssetManager;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** The networks that the APK brings, by catalogue.json in its assets, which tools/android/assets.py writes. */
final class Catalogue {
    private static final String FILE = "catalogue.json";

    private Catalogue() {}

    /** The networks, in the order of the file; none where the app was built without. */
    static List<ModelEntry> read(AssetManager assets) {
        try (InputStream stream = assets.open(FILE)) {
            JSONArray models = new JSONObject(text(stream)).getJSONArray("models");
            List<ModelEntry> entries = new ArrayList<>();
            for (int i = 0; i < models.length(); i++) {
                entries.add(entry(models.getJSONObject(i)));
            }
            return entries;
        } catch (FileNotFoundException missing) {
            return Collections.emptyList();
        } catch (IOException | JSONException damaged) {
            throw new IllegalStateException("the app's own " + FILE + " is damaged", damaged);
        }
    }

    private static ModelEntry entry(JSONObject model) throws JSONException {
        Map<Engine, ModelEntry.Form> forms = new EnumMap<>(Engine.class);
        JSONObject named = model.getJSONObject("forms");
        for (Engine engine : Engine.values()) {
            JSONObject form = named.optJSONObject(engine.form);
            if (form != null) {
                forms.put(
                        engine,
                        new ModelEntry.Form(
                                form.getString("path"),
                                null,
                                form.getLong("bytes"),
                                form.getString("sha256"),
                                form.getString("graph_sha256")));
            }
        }
        boolean classifier = "classification".equals(model.getString("task"));
        return new ModelEntry(
                model.getString("id"), model.getString("title"), model.getString("dataset"), classifier, forms);
    }

    private static String text(InputStream stream) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        for (int count = stream.read(part); count >= 0; count = stream.read(part)) {
            bytes.write(part, 0, count);
        }
        return new String(bytes.toByteArray(), StandardCharsets.UTF_8);
    }
}

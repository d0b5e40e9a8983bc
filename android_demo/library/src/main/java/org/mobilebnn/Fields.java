package org.mobilebnn;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The fields of a JSON object, by name and type; one that is wrong or unknown is an {@link Unfit}. */
final class Fields {
    private final String path;
    private final Map<String, Object> fields;

    private Fields(String path, Map<String, Object> fields) {
        this.path = path;
        this.fields = fields;
    }

    /** A field that is not as it must be. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1;

        Unfit(String message) {
            super(message);
        }
    }

    static Fields of(Object value, String path) throws Unfit {
        if (!(value instanceof Map)) {
            throw new Unfit((path.isEmpty() ? "the whole" : path) + " is not an object");
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
            fields.put((String) entry.getKey(), entry.getValue());
        }
        return new Fields(path, fields);
    }

    void refuseOthers(Set<String> known) throws Unfit {
        for (String name : fields.keySet()) {
            if (!known.contains(name)) {
                throw new Unfit(path(name) + " is unknown");
            }
        }
    }

    boolean has(String name) {
        return fields.get(name) != null;
    }

    Fields object(String name) throws Unfit {
        return of(needed(name), path(name));
    }

    /** An object whose keys are names; what they name is as JSON has it. */
    Map<String, Object> map(String name) throws Unfit {
        return has(name) ? Collections.unmodifiableMap(object(name).fields) : Collections.<String, Object>emptyMap();
    }

    Map<String, String> texts(String name) throws Unfit {
        Map<String, String> found = new LinkedHashMap<>();
        for (Map.Entry<String, Object> entry : map(name).entrySet()) {
            found.put(entry.getKey(), text(entry.getValue(), path(name)));
        }
        return Collections.unmodifiableMap(found);
    }

    String text(String name) throws Unfit {
        return text(needed(name), path(name));
    }

    String textOr(String name, String otherwise) throws Unfit {
        return has(name) ? text(name) : otherwise;
    }

    long count(String name) throws Unfit {
        Object value = needed(name);
        if (!(value instanceof Long) || (Long) value < 0) {
            throw new Unfit(path(name) + " is not a whole number from 0 on");
        }
        return (Long) value;
    }

    double number(String name) throws Unfit {
        return number(needed(name), path(name));
    }

    List<String> textList(String name) throws Unfit {
        List<String> found = new ArrayList<>();
        if (fields.containsKey(name)) {
            for (Object each : list(name)) {
                found.add(text(each, path(name)));
            }
        }
        return Collections.unmodifiableList(found);
    }

    double[] numbers(String name) throws Unfit {
        List<?> list = list(name);
        double[] found = new double[list.size()];
        for (int i = 0; i < found.length; ++i) {
            found[i] = number(list.get(i), path(name));
        }
        return found;
    }

    int[] sizes(String name) throws Unfit {
        List<?> list = list(name);
        int[] found = new int[list.size()];
        for (int i = 0; i < found.length; ++i) {
            Object each = list.get(i);
            if (!(each instanceof Long) || (Long) each != ((Long) each).intValue()) {
                throw new Unfit(path(name) + " is not a list of sizes");
            }
            found[i] = ((Long) each).intValue();
        }
        return found;
    }

    private List<?> list(String name) throws Unfit {
        Object value = needed(name);
        if (!(value instanceof List)) {
            throw new Unfit(path(name) + " is not a list");
        }
        return (List<?>) value;
    }

    private Object needed(String name) throws Unfit {
        Object value = fields.get(name);
        if (value == null) {
            throw new Unfit(path(name) + " is missing");
        }
        return value;
    }

    private String path(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    private static String text(Object value, String path) throws Unfit {
        if (!(value instanceof String)) {
            throw new Unfit(path + " is not a text");
        }
        return (String) value;
    }

    /** Python writes numbers that JSON lacks as texts. */
    private static double number(Object value, String path) throws Unfit {
        if (value instanceof Number) {
            return ((Number) value).doubleValue();
        }
        if ("NaN".equals(value)) {
            return Double.NaN;
        }
        if ("Infinity".equals(value) || "-Infinity".equals(value)) {
            return "Infinity".equals(value) ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY;
        }
        throw new Unfit(path + " is not a number");
    }
}

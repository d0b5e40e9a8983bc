package org.mobilebnn;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON of unknown origin, as RFC 8259 has it and no other: objects become maps, arrays lists, numbers {@link Long}
 * or {@link Double}.
 */
final class Json {
    private static final int DEEPEST = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Text that is not JSON. */
    static final class BadJson extends Exception {
        private static final long serialVersionUID = 1;

        BadJson(String message) {
            super(message);
        }
    }

    /** Reads UTF-8. */
    static Object parse(byte[] bytes) throws BadJson {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            throw new BadJson("it is not UTF-8");
        }
        Json json = new Json(text);
        Object value = json.value(0);
        json.skipSpace();
        if (json.at < text.length()) {
            throw json.unexpected();
        }
        return value;
    }

    private Object value(int depth) throws BadJson {
        if (depth > DEEPEST) {
            throw new BadJson("it is nested more than " + DEEPEST + " deep");
        }
        skipSpace();
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) throws BadJson {
        Map<String, Object> fields = new LinkedHashMap<>();
        expect('{');
        if (took('}')) {
            return fields;
        }
        do {
            skipSpace();
            String name = string();
            expect(':');
            fields.put(name, value(depth + 1));
        } while (took(','));
        expect('}');
        return fields;
    }

    private List<Object> array(int depth) throws BadJson {
        List<Object> items = new ArrayList<>();
        expect('[');
        if (took(']')) {
            return items;
        }
        do {
            items.add(value(depth + 1));
        } while (took(','));
        expect(']');
        return items;
    }

    private String string() throws BadJson {
        if (peek() != '"') {
            throw unexpected();
        }
        ++at;
        StringBuilder found = new StringBuilder();
        while (peek() != '"') {
            char each = text.charAt(at++);
            if (each < ' ') {
                throw new BadJson("a string in it has a control character");
            }
            found.append(each == '\\' ? escaped() : each);
        }
        ++at;
        return found.toString();
    }

    private char escaped() throws BadJson {
        char kind = peek();
        ++at;
        switch (kind) {
            case '"':
            case '\\':
            case '/':
                return kind;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return hexadecimal();
            default:
                throw new BadJson("a string in it has an unknown escape");
        }
    }

    private char hexadecimal() throws BadJson {
        int code = 0;
        for (int i = 0; i < 4; ++i) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0 || text.charAt(at) > 'f') { // digit() knows those of other scripts too
                throw unexpected();
            }
            code = code * 16 + digit;
            ++at;
        }
        return (char) code;
    }

    private Object word(String word, Object value) throws BadJson {
        if (!text.startsWith(word, at)) {
            throw unexpected();
        }
        at += word.length();
        return value;
    }

    private Object number() throws BadJson {
        int first = at;
        took('-', false);
        if (!took('0', false)) {
            digits();
        }
        boolean whole = true;
        if (took('.', false)) {
            digits();
            whole = false;
        }
        if (took('e', false) || took('E', false)) {
            if (!took('-', false)) {
                took('+', false);
            }
            digits();
            whole = false;
        }
        String number = text.substring(first, at);
        try {
            return whole ? (Object) Long.valueOf(number) : (Object) Double.valueOf(number);
        } catch (NumberFormatException error) { // more digits than a long has
            return Double.valueOf(number);
        }
    }

    private void digits() throws BadJson {
        int first = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            ++at;
        }
        if (at == first) {
            throw unexpected();
        }
    }

    private char peek() throws BadJson {
        if (at >= text.length()) {
            throw new BadJson("it ends early");
        }
        return text.charAt(at);
    }

    private void expect(char wanted) throws BadJson {
        if (!took(wanted)) {
            throw unexpected();
        }
    }

    private boolean took(char wanted) {
        return took(wanted, true);
    }

    private boolean took(char wanted, boolean afterSpace) {
        if (afterSpace) {
            skipSpace();
        }
        boolean there = at < text.length() && text.charAt(at) == wanted;
        if (there) {
            ++at;
        }
        return there;
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            ++at;
        }
    }

    private BadJson unexpected() {
        return new BadJson(at < text.length() ? "character " + at + " of it is unexpected" : "it ends early");
    }
}

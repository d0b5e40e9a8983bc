package org.mobilebnn;

import java.io.IOException;

/** A model that cannot be run: it is damaged, is not a .tflite file, or the runtime refuses it; the message says why. */
public final class InvalidModelException extends IOException {
    private static final long serialVersionUID = 1;

    /**
     * Makes one.
     *
     * @param message one line, for a person
     */
    public InvalidModelException(String message) {
        super(message);
    }

    InvalidModelException(String message, Throwable cause) {
        super(message, cause);
    }
}

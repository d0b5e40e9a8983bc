package org.mobilebnn.demo.network;

import java.io.IOException;

/** Why a file of the user's cannot be taken. */
public final class FileProblem extends IOException {
    private static final long serialVersionUID = 1;

    /** What is wrong. */
    public enum Kind { TOO_LARGE, UNREADABLE, NO_ROOM }

    /** What is wrong. */
    public final Kind kind;
    /** The file's name, as the user knows it. */
    public final String file;

    FileProblem(Kind kind, String file, String message) {
        super(message);
        this.kind = kind;
        this.file = file;
    }
}

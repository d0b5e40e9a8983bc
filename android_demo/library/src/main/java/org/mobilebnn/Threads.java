package org.mobilebnn;

/** How many threads there may be. */
final class Threads {
    private static final int MOST = 256;

    private Threads() {
    }

    static int checked(int number) {
        if (number < 1 || number > MOST) {
            throw new IllegalArgumentException("the number of threads is 1 to " + MOST + ", not " + number);
        }
        return number;
    }
}

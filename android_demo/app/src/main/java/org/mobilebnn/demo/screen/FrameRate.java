package org.mobilebnn.demo.screen;

/** Counts frames a second, each second anew. */
final class FrameRate {
    private static final long SECOND_NS = 1_000_000_000L;

    private int frames;
    private long began;
    private double rate = Double.NaN;

    /** Counts a frame; returns the rate of the last whole second, NaN before there was one. */
    double count(long nowNs) {
        if (frames == 0 && Double.isNaN(rate)) {
            began = nowNs;
        }
        if (nowNs - began >= SECOND_NS) {
            rate = frames * (double) SECOND_NS / (nowNs - began);
            frames = 0;
            began = nowNs;
        }
        frames++;
        return rate;
    }
}
